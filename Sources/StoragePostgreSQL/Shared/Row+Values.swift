import Domain
import Storage

extension Row {
    /// A value that this build wrote, or `corrupt`.
    func word<Word: RawRepresentable>(_ column: String) throws -> Word where Word.RawValue == String {
        guard let word = Word(rawValue: try self[column]) else { throw StorageError.corrupt }
        return word
    }

    func optionalWord<Word: RawRepresentable>(_ column: String) throws -> Word? where Word.RawValue == String {
        guard let text: String = try optional(column) else { return nil }
        guard let word = Word(rawValue: text) else { throw StorageError.corrupt }
        return word
    }

    func id<ID: Identifier>(_ column: String) throws -> ID { ID(rawValue: try self[column]) }
    func optionalID<ID: Identifier>(_ column: String) throws -> ID? { try optional(column).map(ID.init(rawValue:)) }
    func time(_ column: String) throws -> Timestamp { Timestamp(milliseconds: try self[column]) }
    func optionalTime(_ column: String) throws -> Timestamp? {
        try optional(column).map(Timestamp.init(milliseconds:))
    }
    func request(_ column: String) throws -> RequestID {
        guard let request = RequestID(try self[column]) else { throw StorageError.corrupt }
        return request
    }

    /// Ids hold no line break, so a line each is a list.
    func lines(_ column: String) throws -> [String] {
        let text: String = try self[column]
        return text.split(separator: "\n").map(String.init)
    }

    /// What `TextList` wrote.
    func texts(_ column: String) throws -> [String] { try TextList.texts(try self[column]) }
}
