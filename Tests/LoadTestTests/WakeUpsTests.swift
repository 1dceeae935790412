import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import LoadTest

@Suite("Wake-ups of a push double", .timeLimit(.minutes(1)))
struct WakeUpsTests {
    @Test("phones that listen before and after the double's end hear that it ended")
    func end() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wake-ups-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let double = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { connection in
                connection.eventLoop.makeCompletedFuture {
                    connection.writeAndFlush(ByteBuffer(string: "apns early\n"))
                        .whenComplete { _ in connection.close(promise: nil) }
                }
            }
            .bind(unixDomainSocketPath: folder + "/deliveries").get()
        try await WakeUps.listening(to: .apns, folder: folder) { wakeUps in
            for await _ in wakeUps.wakes(of: "before") {}
            for await _ in wakeUps.wakes(of: "after") {}
        }
        try await double.close()
    }
}
