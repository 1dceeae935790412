import Domain
import Foundation
import GRDB
import Storage

extension Row {
    /// A value that this build wrote, or `corrupt`.
    func word<Word: RawRepresentable>(_ column: String) throws -> Word where Word.RawValue == String {
        guard let word = Word(rawValue: self[column]) else { throw StorageError.corrupt }
        return word
    }

    func optionalWord<Word: RawRepresentable>(_ column: String) throws -> Word? where Word.RawValue == String {
        guard let text: String = self[column] else { return nil }
        guard let word = Word(rawValue: text) else { throw StorageError.corrupt }
        return word
    }

    func id<ID: Identifier>(_ column: String) -> ID { ID(rawValue: self[column]) }
    func optionalID<ID: Identifier>(_ column: String) -> ID? { (self[column] as String?).map(ID.init(rawValue:)) }
    func time(_ column: String) -> Timestamp { Timestamp(milliseconds: self[column]) }
    func optionalTime(_ column: String) -> Timestamp? { (self[column] as Int64?).map(Timestamp.init(milliseconds:)) }
    func bytes(_ column: String) -> [UInt8] { Array(self[column] as Data) }

    /// Ids hold no line break, so a line each is a list.
    func lines(_ column: String) -> [String] { (self[column] as String).split(separator: "\n").map(String.init) }
}
