import Domain
import Glibc
import Testing
import Wire

@testable import Messaging

@Suite("The folder of trusted keys")
struct TrustFolderTests {
    private let folder = TemporaryFolder()

    private func keys() throws -> (own: CurveKeys, first: TrustedKeys) {
        for service in [ServiceName.policy, .gateway, .verifier] {
            _ = try CurveKeys.load(folder: folder.path, service: service)
        }
        let own = try CurveKeys.load(folder: folder.path, service: .policy)
        let read = own.readTrusted()
        #expect(read.problem == nil)
        #expect(read.keys.keys(of: .gateway).count == 1)
        return (own, read.keys)
    }

    private func write(_ text: String, to name: String) {
        guard let file = fopen("\(folder.path)/\(name)", "w") else { return }
        fputs(text, file)
        fclose(file)
    }

    @Test("processes of one service that start together for the first time have one key")
    func firstStart() async throws {
        for round in 0..<20 {
            let place = "\(folder.path)/keys-\(round)"
            let keys = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 {
                    group.addTask { try CurveKeys.load(folder: place, service: .policy).publicKey }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(keys.count == 1)
            #expect(try CurveKeys.load(folder: place, service: .policy).publicKey == keys.first)
        }
    }

    @Test("a file that is half copied, or cannot be read, keeps the key that it had", arguments: [true, false])
    func halfCopied(_ isCopied: Bool) throws {
        let (own, first) = try keys()
        if isCopied {
            write(String(own.publicKey.prefix(17)), to: "gateway.pub")
        } else {
            unlink("\(folder.path)/gateway.pub")
            mkdir("\(folder.path)/gateway.pub", 0o700)
        }
        let read = own.readTrusted(after: first)
        #expect(read.keys == first)
        #expect(read.problem?.hasPrefix("gateway.pub") == true)
        rmdir("\(folder.path)/gateway.pub")
    }

    @Test("a file that never held a key takes nothing from the others, which come and go as before")
    func malformed() throws {
        let (own, first) = try keys()
        write("this is no key", to: "challenge.pub")
        let second = own.readTrusted(after: first)
        #expect(second.keys == first)
        #expect(second.problem?.hasPrefix("challenge.pub") == true)
        unlink("\(folder.path)/gateway.pub")
        let third = own.readTrusted(after: second.keys).keys
        #expect(third.keys(of: .gateway).isEmpty)
        #expect(third.keys(of: .verifier) == first.keys(of: .verifier))
    }

    @Test("a folder that cannot be read leaves everybody trusted as before")
    func unreadable() throws {
        let (own, first) = try keys()
        let elsewhere = "\(folder.path)-elsewhere"
        #expect(rename(folder.path, elsewhere) == 0)
        let read = own.readTrusted(after: first)
        #expect(rename(elsewhere, folder.path) == 0)
        #expect(read.keys == first)
        #expect(read.problem != nil)
    }

    @Test("one key in two files belongs to the same service at every reading")
    func twice() throws {
        let (own, first) = try keys()
        let key = try #require(first.keys(of: .gateway).first)
        try KeyFile.write(key, to: "\(folder.path)/notifier-moved.pub", mode: 0o644)
        for _ in 0..<10 { #expect(own.readTrusted(after: first).keys.service(of: key) == .notifier) }
    }
}
