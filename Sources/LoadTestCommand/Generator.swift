import Foundation
import LoadTest

/// The other end of `Generators`: this process does its share and tells what happens on its standard output, a JSON object a line. It
/// begins at a line on standard input, and stops as if interrupted when that ends: whoever started it is gone.
enum Generator {
    static func run(_ plan: LoadRun.Plan) async throws -> Report {
        // Whoever started it may be gone before its people are.
        signal(SIGPIPE, SIG_IGN)
        let (words, word) = AsyncStream<Void>.makeStream()
        // Unstructured because it outlives the run: what ends it is the end of the input, or of this process.
        Task {
            for await _ in FileHandle.standardInput.pieces() { word.yield() }
            kill(getpid(), SIGINT)
        }
        var plan = plan
        plan.begin = {
            tell(.ready)
            for await _ in words { break }
        }
        return try await LoadRun(plan, observer: GeneratorObserver(tell: tell)).run()
    }

    @Sendable static func tell(_ message: GeneratorMessage) {
        guard var line = try? JSONEncoder().encode(message) else {
            preconditionFailure("a generator's message can be encoded")
        }
        line.append(UInt8(ascii: "\n"))
        // Nobody who would read it is left where it cannot be written, and then standard input has ended too.
        try? FileHandle.standardOutput.write(contentsOf: line)
    }
}
