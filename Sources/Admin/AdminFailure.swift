import ArgumentParser

/// Why a command ends, with the exit code of sysexits.h that says so to scripts.
struct AdminFailure: Error, CustomStringConvertible {
    enum Kind: Int32 {
        case usage = 64
        case badData = 65
        /// No such file, or no such thing at the gateway.
        case noInput = 66
        case unavailable = 69
        case cannotWrite = 73
        case tryLater = 75
        case unexpectedReply = 76
        case refused = 77

        /// A closed word, as the `error` of a JSON line where the gateway gave no code.
        var word: String {
            switch self {
            case .usage: "usage"
            case .badData: "bad_data"
            case .noInput: "not_found"
            case .unavailable: "unavailable"
            case .cannotWrite: "cannot_write"
            case .tryLater: "try_later"
            case .unexpectedReply: "unexpected_reply"
            case .refused: "refused"
            }
        }
    }

    let kind: Kind
    /// One sentence.
    let description: String
    /// The gateway's code, to tell apart what a command can mend.
    var code = ""

    init(_ kind: Kind, _ description: String, code: String = "") {
        self.kind = kind
        self.description = description
        self.code = code
    }
}

extension AsyncParsableCommand {
    /// Runs `work`, and ends the process with the failure's sentence and exit code.
    func reporting(on output: Output = Output(isJSON: false), _ work: () async throws -> Void) async throws {
        try await output.reporting(work)
    }
}

extension Output {
    /// Runs `work`, and ends the process with the failure's sentence and exit code; for programs also as an object.
    func reporting(_ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch let failure as AdminFailure {
            if isJSON { try write(json: ErrorLine(failure)) }
            Self.complain(failure.description)
            throw ExitCode(failure.kind.rawValue)
        }
    }
}

/// What --json prints of a failure.
private struct ErrorLine: Encodable {
    let event = "error"
    let error: String
    let detail: String

    init(_ failure: AdminFailure) {
        error = failure.code.isEmpty ? failure.kind.word : failure.code
        detail = failure.description
    }
}
