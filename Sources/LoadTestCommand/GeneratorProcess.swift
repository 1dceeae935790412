import Foundation
import LoadTest

/// A process of this program that does a share of a run.
final class GeneratorProcess: Sendable {
    /// How it ended.
    enum End: Equatable {
        case status(Int32)
        case signal(Int32)
    }

    private let process = Process()
    private let input = Pipe()
    private let output: AsyncStream<Data>
    private let errors: AsyncStream<Data>
    private let ends: AsyncStream<End>

    /// Throws what the system says where it cannot be started.
    init(_ arguments: [String]) throws {
        let (output, errors) = (Pipe(), Pipe())
        let (ends, end) = AsyncStream<End>.makeStream()
        self.ends = ends
        self.output = output.fileHandleForReading.pieces()
        self.errors = errors.fileHandleForReading.pieces()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        process.terminationHandler = { process in
            let status = process.terminationStatus
            end.yield(process.terminationReason == .uncaughtSignal ? .signal(status) : .status(status))
            end.finish()
        }
        try process.run()
    }

    /// What it tells, until it ends. Throws for what is no message.
    var messages: AsyncThrowingStream<GeneratorMessage, any Error> {
        AsyncThrowingStream { continuation in
            // Unstructured because a sequence outlives the call that made it; it ends with the process.
            Task { [output] in
                var rest = Data()
                do {
                    for await piece in output {
                        rest.append(piece)
                        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                            continuation.yield(try JSONDecoder().decode(GeneratorMessage.self, from: rest[..<end]))
                            rest = Data(rest[rest.index(after: end)...])
                        }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
        }
    }

    /// How it ended and what it said on standard error.
    func end() async -> (end: End, words: String) {
        var words = Data()
        for await piece in errors { words.append(piece) }
        var end = End.status(0)
        for await ended in ends { end = ended }
        return (end, String(decoding: words, as: UTF8.self))
    }

    func begin() {
        // One that has ended in the meantime says so itself.
        try? input.fileHandleForWriting.write(contentsOf: Data("begin\n".utf8))
    }

    /// As Ctrl-C does: it tidies up and tells what it has.
    func interrupt() { if process.isRunning { process.interrupt() } }
}
