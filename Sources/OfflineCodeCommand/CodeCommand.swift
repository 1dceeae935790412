// The offline-code generator in a terminal.
//
// Owns: where a secret comes from, and what is printed. Must not know: how codes are made; that is the `OfflineCode` library's. Start
// reading at `run`.

import ArgumentParser
import Authenticator
import Foundation
import OfflineCode

@main
struct CodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "countersign-code",
        abstract: "Shows an offline code and how long it is good. Needs no network.",
        discussion: """
            The secret comes from one of:
              an otpauth:// URI       countersign-code 'otpauth://totp/…'     - reads it from standard input
              --secret BASE32         with --algorithm, --digits and --period; - reads it from standard input
              --account NAME          an account of countersign-phone, from its file
            What is on the command line can be seen by other people of the machine and stays in the shell's history; use - for real secrets.

            TIME is RFC 3339 (2026-11-23T22:40:32Z) or seconds since 1970.

            With --json a failure is an object too: event "error", error, detail.

            Exit codes: 0 done, 64 usage, 65 bad data, 66 no such file or account, 69 the file cannot be read, 77 the file is refused because
            others can read it.
            """)

    @Argument(help: ArgumentHelp("An otpauth:// URI, or - for standard input.", valueName: "uri"))
    var uri: String?

    @Option(help: ArgumentHelp("A Base32 secret, or - for standard input.", valueName: "base32"))
    var secret: String?

    @Option(
        help: ArgumentHelp("An account of countersign-phone: user name, user name@tenant, or id.", valueName: "name"))
    var account: String?

    @Option(help: ArgumentHelp("The file of countersign-phone.", valueName: "file"))
    var file: String = FileVault.defaultPath

    @Option(help: "SHA1, SHA256 or SHA512; with --secret.")
    var algorithm: String?

    @Option(help: "6, 7 or 8; with --secret.")
    var digits: Int?

    @Option(help: ArgumentHelp("30 to 60; with --secret.", valueName: "seconds"))
    var period: Int?

    @Option(help: ArgumentHelp("Another time than now.", valueName: "time"))
    var at: String?

    @Flag(help: "Print one JSON object a line: code, secondsLeft.")
    var json = false

    @Flag(help: "Go on and print every new code.")
    var watch = false

    func validate() throws {
        guard [uri, secret, account].compactMap({ $0 }).count == 1 else {
            throw ValidationError("Give one of: a URI, --secret, --account.")
        }
        guard secret != nil || (algorithm == nil && digits == nil && period == nil) else {
            throw ValidationError("--algorithm, --digits and --period go with --secret.")
        }
        guard !watch || at == nil else { throw ValidationError("--watch and --at exclude each other.") }
    }

    func run() async throws {
        do {
            let read = try await source()
            repeat {
                let reading = read(try time())
                print(CodeText.line(reading, json: json))
                fflush(nil)
                guard watch, let left = reading.secondsLeft else { return }
                try await Task.sleep(for: .seconds(left))
            } while true
        } catch let failure as CodeFailure {
            if json { print(CodeText.line(failure)) }
            FileHandle.standardError.write(Data("countersign-code: \(failure.sentence)\n".utf8))
            throw ExitCode(failure.status)
        }
    }

    private func time() throws -> Date {
        guard let at else { return Date() }
        guard let time = CodeText.time(at) else { throw CodeFailure(65, "\(at) is no time") }
        return time
    }

    /// What makes a code of a time.
    private func source() async throws -> (Date) -> OfflineCodeGenerator.Reading {
        do {
            if let account { return try await reading(of: account) }
            let generator =
                if let uri { try OfflineCodeGenerator(uri: try given(uri)) } else {
                    try OfflineCodeGenerator(
                        secret: try given(secret ?? ""), algorithm: algorithm ?? "SHA1", digits: digits ?? 6,
                        period: period ?? 30)
                }
            return { generator.reading(at: $0) }
        } catch let error as OfflineCodeError {
            throw CodeFailure(65, error.description)
        }
    }

    private func given(_ text: String) throws -> String {
        guard text == "-" else { return text }
        guard let line = readLine()?.trimmingCharacters(in: .whitespaces), !line.isEmpty else {
            throw CodeFailure(65, "standard input is empty")
        }
        return line
    }

    private func reading(of name: String) async throws -> (Date) -> OfflineCodeGenerator.Reading {
        guard FileManager.default.fileExists(atPath: file) else { throw CodeFailure(66, "\(file): no such file") }
        let accounts: [Account]
        do {
            accounts = try await FileVault(path: file).accounts()
        } catch FileVault.Failure.exposed {
            throw CodeFailure(77, "\(file): \(FileVault.Failure.exposed)")
        } catch FileVault.Failure.corrupt {
            throw CodeFailure(65, "\(file): \(FileVault.Failure.corrupt)")
        } catch {
            throw CodeFailure(69, "\(file) cannot be read")
        }
        let found = accounts.filter { $0.matches(name) }
        guard let account = found.first else { throw CodeFailure(66, "there is no such account in \(file)") }
        guard found.count == 1 else {
            throw CodeFailure(65, "several accounts have this name: add @tenant, or give the id")
        }
        return { time in
            let code = account.offlineCode.code(at: time)
            return .init(code: code.code, secondsLeft: Int(code.expiresAt.timeIntervalSince(time).rounded(.up)))
        }
    }
}

/// Why the command ends, with its exit code.
struct CodeFailure: Error {
    let status: Int32
    let sentence: String

    /// A closed word, as the `error` of a JSON line.
    var word: String {
        switch status {
        case 65: "bad_data"
        case 66: "not_found"
        case 77: "file_exposed"
        default: "file_unusable"
        }
    }

    init(_ status: Int32, _ sentence: String) {
        self.status = status
        self.sentence = sentence
    }
}

enum CodeText {
    static func line(_ reading: OfflineCodeGenerator.Reading, json: Bool) -> String {
        guard json else { return reading.code + (reading.secondsLeft.map { "  \($0) s left" } ?? "") }
        return #"{"code":"\#(reading.code)""# + (reading.secondsLeft.map { #","secondsLeft":\#($0)"# } ?? "") + "}"
    }

    static func line(_ failure: CodeFailure) -> String {
        struct Line: Encodable {
            let event = "error"
            let error: String
            let detail: String
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = try? encoder.encode(Line(error: failure.word, detail: failure.sentence))
        return line.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    static func time(_ text: String) -> Date? {
        if let seconds = Int64(text) { return Date(timeIntervalSince1970: Double(seconds)) }
        let formatter = ISO8601DateFormatter()
        if let time = formatter.date(from: text) { return time }
        formatter.formatOptions.insert(.withFractionalSeconds)
        return formatter.date(from: text)
    }
}
