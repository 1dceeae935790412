/// Names a place in a `Slab` and which of its tenants is meant.
struct SlabKey: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32
}

/// Values in numbered places that are used again. A key of an earlier tenant finds nothing.
struct Slab<Value> {
    private var places: [(generation: UInt32, value: Value?)] = []
    private var free: [UInt32] = []
    private(set) var count = 0

    mutating func insert(_ value: Value) -> SlabKey {
        count += 1
        if let index = free.popLast() {
            places[Int(index)].value = value
            return SlabKey(index: index, generation: places[Int(index)].generation)
        }
        places.append((0, value))
        return SlabKey(index: UInt32(places.count - 1), generation: 0)
    }

    /// Reading and changing in place; nil for a key whose value is gone. Only `remove` takes a value out.
    subscript(_ key: SlabKey) -> Value? {
        get {
            guard key.index < places.count, places[Int(key.index)].generation == key.generation else { return nil }
            return places[Int(key.index)].value
        }
        _modify {
            guard key.index < places.count, places[Int(key.index)].generation == key.generation else {
                var nothing: Value?
                yield &nothing
                return
            }
            yield &places[Int(key.index)].value
        }
    }

    @discardableResult
    mutating func remove(_ key: SlabKey) -> Value? {
        guard key.index < places.count, places[Int(key.index)].generation == key.generation else { return nil }
        guard let value = places[Int(key.index)].value else { return nil }
        places[Int(key.index)] = (key.generation &+ 1, nil)
        free.append(key.index)
        count -= 1
        return value
    }

    var keys: [SlabKey] {
        places.indices.filter { places[$0].value != nil }.map {
            SlabKey(index: UInt32($0), generation: places[$0].generation)
        }
    }
}
