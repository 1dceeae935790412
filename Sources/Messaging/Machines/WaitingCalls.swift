import Wire

/// Calls that wait for any callee, first come, first served, except for those of methods that all who have room are too old for: they wait
/// apart, a line a method, so that nobody waits behind them and nobody looks at each of them in vain.
struct WaitingCalls {
    struct Apart {
        let method: Method
        var line = WaitingLine()
    }

    var line = WaitingLine()
    private(set) var apart: [Apart] = []

    mutating func append(_ key: SlabKey) { line.append(key) }

    mutating func setApart(_ key: SlabKey, of method: Method) {
        let known = apart.firstIndex { $0.method.id == method.id }
        if known == nil { apart.append(Apart(method: method)) }
        apart[known ?? apart.endIndex - 1].line.append(key)
    }

    mutating func popFirst(apart place: Int) -> SlabKey? { apart[place].line.popFirst() }

    /// Methods for which nobody waits any more have no line.
    mutating func tidy() {
        if apart.contains(where: \.line.isEmpty) { apart.removeAll(where: \.line.isEmpty) }
    }

    /// `live` of all lines together.
    mutating func compact(live: Int, isLive: (SlabKey) -> Bool) {
        line.compact(live: live, isLive: isLive)
        for place in apart.indices { apart[place].line.compact(live: live, isLive: isLive) }
    }
}
