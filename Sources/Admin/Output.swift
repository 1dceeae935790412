import DeviceAPI
import Domain
import Foundation

/// What a command prints: a table for people, or one JSON object a line for programs.
struct Output {
    let isJSON: Bool

    static func complain(_ sentence: String) {
        FileHandle.standardError.write(Data("countersign-admin: \(sentence)\n".utf8))
    }

    /// A list. `columns` name a heading and the cell of an item.
    func list<Item: Encodable>(_ items: [Item], _ columns: [(String, (Item) -> String)]) throws {
        if isJSON {
            for item in items { try write(json: item) }
            return
        }
        guard !items.isEmpty else { return }
        let rows = [columns.map(\.0)] + items.map { item in columns.map { $0.1(item).plain } }
        let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = row.indices.map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }
            write(line: String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()))
        }
    }

    /// One thing.
    func one<Item: Encodable>(_ item: Item, _ members: [(String, String)]) throws {
        if isJSON { return try write(json: item) }
        let width = members.map(\.0.count).max() ?? 0
        for (name, value) in members {
            write(line: name + String(repeating: " ", count: width - name.count + 2) + value.plain)
        }
    }

    /// A document whose shape is JSON in any case.
    func document(_ value: JSONValue) throws {
        let encoder = Self.encoder
        if !isJSON { encoder.outputFormatting.insert(.prettyPrinted) }
        write(line: String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// What was done, for people; nothing with --json.
    func done(_ sentence: String) {
        if !isJSON { write(line: sentence) }
    }

    func write(json item: some Encodable) throws {
        write(line: String(decoding: try Self.encoder.encode(item), as: UTF8.self))
    }

    private func write(line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
