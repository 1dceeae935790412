import Domain

/// Writes bodies as JSON with the members in the order in which their types list them.
///
/// Encoders of Foundation keep members in a dictionary, so the same reply would look different each time; this one writes straight
/// into the bytes that are sent, which is also what makes it quick.
enum JSONWriter {
    static func bytes<Value: Encodable>(of value: Value) throws -> [UInt8] {
        let output = Output()
        try output.write(value)
        return output.bytes
    }

    fileprivate final class Output {
        var bytes: [UInt8] = []

        func write<Value: Encodable>(_ value: Value) throws {
            let encoder = ValueEncoder(output: self)
            try value.encode(to: encoder)
            encoder.finish()
        }

        func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

        func quoted(_ text: String) { JSONValue.appendQuoted(text, to: &bytes) }
    }

    /// Writes one value: a leaf, or the members or elements of the one container that it opens.
    fileprivate final class ValueEncoder: Encoder {
        let output: Output
        let codingPath: [any CodingKey] = []
        let userInfo: [CodingUserInfoKey: Any] = [:]
        private var closing: UInt8?
        private var isFirst = true

        init(output: Output) { self.output = output }

        func open(_ start: UInt8, _ end: UInt8) {
            guard closing == nil else { return }
            output.bytes.append(start)
            closing = end
        }

        func separate() {
            if !isFirst { output.bytes.append(0x2C) }
            isFirst = false
        }

        func finish() { if let closing { output.bytes.append(closing) } }

        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
            open(0x7B, 0x7D)
            return KeyedEncodingContainer(Members<Key>(encoder: self))
        }

        func unkeyedContainer() -> any UnkeyedEncodingContainer {
            open(0x5B, 0x5D)
            return Elements(encoder: self)
        }

        func singleValueContainer() -> any SingleValueEncodingContainer { Leaf(encoder: self) }
    }

    fileprivate struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoder: ValueEncoder
        var codingPath: [any CodingKey] { [] }

        private func name(_ key: Key) {
            encoder.separate()
            encoder.output.quoted(key.stringValue)
            encoder.output.bytes.append(0x3A)
        }

        mutating func encodeNil(forKey key: Key) throws {
            name(key)
            encoder.output.raw("null")
        }

        mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
            name(key)
            try encoder.output.write(value)
        }

        mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key)
            -> KeyedEncodingContainer<Nested>
        {
            preconditionFailure("a body's part has a type of its own, never a nested container")
        }

        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            preconditionFailure("a body's part has a type of its own, never a nested container")
        }

        mutating func superEncoder() -> any Encoder { encoder }
        mutating func superEncoder(forKey key: Key) -> any Encoder { encoder }
    }

    fileprivate struct Elements: UnkeyedEncodingContainer {
        let encoder: ValueEncoder
        var count = 0
        var codingPath: [any CodingKey] { [] }

        init(encoder: ValueEncoder) { self.encoder = encoder }

        mutating func encodeNil() throws {
            encoder.separate()
            encoder.output.raw("null")
            count += 1
        }

        mutating func encode<Value: Encodable>(_ value: Value) throws {
            encoder.separate()
            try encoder.output.write(value)
            count += 1
        }

        mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
            preconditionFailure("a body's part has a type of its own, never a nested container")
        }

        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            preconditionFailure("a body's part has a type of its own, never a nested container")
        }

        mutating func superEncoder() -> any Encoder { encoder }
    }

    fileprivate struct Leaf: SingleValueEncodingContainer {
        let encoder: ValueEncoder
        var codingPath: [any CodingKey] { [] }

        mutating func encodeNil() throws { encoder.output.raw("null") }
        mutating func encode(_ value: Bool) throws { encoder.output.raw(value ? "true" : "false") }
        mutating func encode(_ value: String) throws { encoder.output.quoted(value) }
        mutating func encode(_ value: Int) throws { encoder.output.raw(String(value)) }
        mutating func encode(_ value: Int8) throws { encoder.output.raw(String(value)) }
        mutating func encode(_ value: Int16) throws { encoder.output.raw(String(value)) }
        mutating func encode(_ value: Int32) throws { encoder.output.raw(String(value)) }
        mutating func encode(_ value: Int64) throws { encoder.output.raw(String(value)) }
        mutating func encode(_ value: UInt) throws { encoder.output.raw(String(value)) }
        mutating func encode(_ value: UInt8) throws { encoder.output.raw(String(value)) }
        mutating func encode(_ value: UInt16) throws { encoder.output.raw(String(value)) }
        mutating func encode(_ value: UInt32) throws { encoder.output.raw(String(value)) }
        mutating func encode(_ value: UInt64) throws { encoder.output.raw(String(value)) }
        mutating func encode(_ value: Float) throws { try encode(Double(value)) }

        mutating func encode(_ value: Double) throws {
            guard value.isFinite else {
                throw EncodingError.invalidValue(
                    value, .init(codingPath: [], debugDescription: "JSON has no such number"))
            }
            encoder.output.raw(String(value))
        }

        mutating func encode<Value: Encodable>(_ value: Value) throws { try encoder.output.write(value) }
    }
}
