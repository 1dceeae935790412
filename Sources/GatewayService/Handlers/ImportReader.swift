import DeviceAPI
import Domain
import SwiftProtobuf
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Turns the bytes of an upload into lines, whatever the pieces are in which they come.
struct ImportReader {
    enum Format { case csv, ndjson }

    enum Result {
        case line(ImportLine)
        case problem(ImportProblemLine)
    }

    private enum Column: String, CaseIterable { case username, displayName, password, groups, roles }

    /// What a file begins with that is not UTF-8 (The Unicode Standard, section 23.8); a longer mark before its own beginning.
    private static let otherEncodings: [(mark: [UInt8], name: String)] = [
        ([0xFF, 0xFE, 0x00, 0x00], "UTF-32LE"), ([0x00, 0x00, 0xFE, 0xFF], "UTF-32BE"), ([0xFF, 0xFE], "UTF-16LE"),
        ([0xFE, 0xFF], "UTF-16BE"),
    ]

    /// Where in a record of a CSV the next byte stands (RFC 4180 section 2): a quotation mark opens a field only at its beginning.
    private enum Place {
        case fieldStart, plain, quoted, quoteInQuoted

        mutating func pass(_ byte: UInt8) {
            self =
                switch (self, byte) {
                case (.quoted, 0x22): .quoteInQuoted
                case (.quoted, _): .quoted
                case (.fieldStart, 0x22), (.quoteInQuoted, 0x22): .quoted
                case (_, 0x2C): .fieldStart
                default: .plain
                }
        }
    }

    /// Spreadsheets put it in front of UTF-8.
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let format: Format
    private var record: [UInt8] = []
    private var place = Place.fieldStart
    private var isTooLong = false
    private var line = 1
    private var recordStart = 1
    private var columns: [Column]?
    private var isFirstRecord = true

    init(_ format: Format) { self.format = format }

    /// Throws `malformed` for a file in another encoding than UTF-8, and for a CSV header that is not understood, with the `reason`: every
    /// line would be wrong.
    mutating func read(_ bytes: some Sequence<UInt8>) throws(ServiceError) -> [Result] {
        var results: [Result] = []
        for byte in bytes {
            if byte == 0x0A {
                line += 1
                // RFC 4180 section 2.6: a quoted field may hold line breaks.
                if place != .quoted || isTooLong {
                    if let result = try endRecord() { results.append(result) }
                    continue
                }
            }
            if format == .csv, !isOfMark(byte) { place.pass(byte) }
            guard record.count < APILimits.importLineBytesMax else {
                isTooLong = true
                continue
            }
            record.append(byte)
        }
        return results
    }

    /// Whether it continues the mark before the first record.
    private func isOfMark(_ byte: UInt8) -> Bool {
        isFirstRecord && record.count < Self.byteOrderMark.count && byte == Self.byteOrderMark[record.count]
    }

    mutating func finish() throws(ServiceError) -> [Result] {
        guard let result = try endRecord() else { return [] }
        return [result]
    }

    private mutating func endRecord() throws(ServiceError) -> Result? {
        defer {
            record = []
            (place, isTooLong, recordStart) = (.fieldStart, false, line)
        }
        if isFirstRecord, let encoding = Self.otherEncodings.first(where: { record.starts(with: $0.mark) })?.name {
            throw ServiceError(
                .malformed, "the file is in \(encoding), and must be in UTF-8",
                members: ["reason": "other_encoding", "encoding": encoding])
        }
        if isTooLong {
            return try unreadable(
                "too_large", "is longer than \(APILimits.importLineBytesMax) bytes",
                ["reason": "line_too_long", "max": "\(APILimits.importLineBytesMax)"])
        }
        if record.last == 0x0D { record.removeLast() }
        if isFirstRecord, record.starts(with: Self.byteOrderMark) { record.removeFirst(Self.byteOrderMark.count) }
        isFirstRecord = false
        guard !record.isEmpty else { return nil }
        guard let text = String(validating: record, as: UTF8.self), !record.contains(0) else {
            return try unreadable("malformed", "is not UTF-8, or holds U+0000", ["reason": "not_text"])
        }
        return format == .csv ? try csv(text) : ndjson(record)
    }

    private func problem(_ code: String, _ detail: String, _ members: [String: String]) -> Result {
        .problem(ImportProblemLine(line: recordStart, code: code, detail: detail, members: members))
    }

    /// What a line has that cannot be taken apart; thrown of a header.
    private func unreadable(_ code: String, _ fault: String, _ members: [String: String]) throws(ServiceError) -> Result
    {
        if format == .csv, columns == nil { throw ServiceError(.malformed, "the header \(fault)", members: members) }
        return problem(code, "the line \(fault)", members)
    }

    // MARK: NDJSON

    private func ndjson(_ bytes: [UInt8]) -> Result {
        do {
            let body = try JSONBody.decode(UserCreation.self, from: bytes)
            return checked(
                ImportLine.with {
                    $0.username = body.username
                    $0.displayName = body.displayName ?? ""
                    $0.password = Data((body.password ?? "").utf8)
                    $0.groups = body.groups ?? []
                    $0.roles = body.roles ?? []
                })
        } catch {
            return problem(error.code.name, error.detail, Self.fault(of: bytes, error))
        }
    }

    /// What is wrong with a line that is no `UserCreation`, for those who do not read `detail`.
    private static func fault(of bytes: [UInt8], _ error: ServiceError) -> [String: String] {
        guard error.members.isEmpty else { return error.members }
        guard let members = (try? JSONValue(parsing: bytes))?.members else { return ["reason": "not_json"] }
        guard members["username"] != nil else { return ["reason": "member_missing", "member": "username"] }
        let texts = ["username", "displayName", "password"].filter { name in
            members[name].map { $0.text == nil && $0 != .null } ?? false
        }
        let lists = ["groups", "roles"].filter { name in
            members[name].map { $0.elements?.allSatisfy { $0.text != nil } != true && $0 != .null } ?? false
        }
        return ["reason": "member_type", "member": (texts + lists).first ?? "username"]
    }

    // MARK: CSV

    private mutating func csv(_ text: String) throws(ServiceError) -> Result? {
        guard let fields = Self.fields(of: text) else {
            return try unreadable("malformed", "is not CSV", ["reason": "not_csv"])
        }
        guard let columns else {
            try readHeader(fields)
            return nil
        }
        guard fields.count == columns.count else {
            return problem(
                "malformed", "the line has \(fields.count) fields, not \(columns.count)",
                ["reason": "field_count", "found": "\(fields.count)", "expected": "\(columns.count)"])
        }
        let values = Dictionary(uniqueKeysWithValues: zip(columns, fields))
        func list(_ column: Column) -> [String] {
            (values[column] ?? "").split(separator: ";").map { $0.trimmed }.filter { !$0.isEmpty }
        }
        return checked(
            ImportLine.with {
                $0.username = values[.username] ?? ""
                $0.displayName = values[.displayName] ?? ""
                $0.password = Data((values[.password] ?? "").utf8)
                $0.groups = list(.groups)
                $0.roles = list(.roles)
            })
    }

    private mutating func readHeader(_ fields: [String]) throws(ServiceError) {
        // Spreadsheets write semicolons where the comma is in numbers.
        if fields.count == 1, fields[0].contains(where: { $0 == ";" || $0 == "\t" }) {
            throw ServiceError(
                .malformed, "the header is not separated by commas", members: ["reason": "header_separator"])
        }
        var read: [Column] = []
        for field in fields {
            guard let column = Column(rawValue: field), !read.contains(column) else {
                let names = Column.allCases.map(\.rawValue).joined(separator: ", ")
                throw ServiceError(
                    .malformed, "the header may name \(names), each once",
                    members: ["reason": "header_columns", "names": names])
            }
            read.append(column)
        }
        guard read.contains(.username) else {
            throw ServiceError(
                .malformed, "the header does not name username",
                members: ["reason": "header_without", "name": Column.username.rawValue])
        }
        columns = read
    }

    /// RFC 4180. Nil for a quote that does not end or text after one.
    private static func fields(of text: String) -> [String]? {
        var fields: [String] = []
        var field: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        var isQuoted = false
        var hasEnded = false
        while let byte = bytes.popFirst() {
            switch byte {
            case 0x22 where isQuoted && bytes.first == 0x22:
                field.append(0x22)
                bytes.removeFirst()
            case 0x22 where isQuoted: (isQuoted, hasEnded) = (false, true)
            case 0x22 where field.isEmpty && !hasEnded: isQuoted = true
            case 0x2C where !isQuoted:
                fields.append(String(decoding: field, as: UTF8.self))
                (field, hasEnded) = ([], false)
            case _ where hasEnded: return nil
            default: field.append(byte)
            }
        }
        guard !isQuoted else { return nil }
        return fields + [String(decoding: field, as: UTF8.self)]
    }

    private func checked(_ line: ImportLine) -> Result {
        var line = line
        line.line = UInt32(clamping: recordStart)
        guard Username.isValid(line.username) else {
            return problem(ErrorCode.invalidUsername.name, Username.rule, ["reason": "username"])
        }
        return .line(line)
    }
}
