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

    @Test(
        "keys made for an installation are a pair a service apart and one folder of public keys, and stay when made again"
    )
    func installation() throws {
        let trust = "\(folder.path)/trust"
        let services = [ServiceName.policy, .verifier]
        for _ in 0..<2 {
            for service in services {
                try CurveKeys.create(folder: "\(folder.path)/\(service.rawValue)", service: service, trust: trust)
            }
        }
        #expect(mode(of: trust) == 0o755 && mode(of: "\(trust)/policy.pub") == 0o644)
        #expect(mode(of: "\(folder.path)/policy/policy.key") == 0o600)
        for service in services {
            let own = "\(folder.path)/\(service.rawValue)"
            unlink("\(own)/\(service.rawValue).pub")
            let loaded = try CurveKeys.load(folder: own, service: service, trust: trust)
            #expect(loaded.readTrusted().keys.keys(of: service) == [loaded.publicKey])
            // Its own folder may be read-only: nothing was written there.
            #expect(KeyFile.names(in: own)?.filter { !$0.hasPrefix(".") } == ["\(service.rawValue).key"])
        }
    }

    @Test("a trusted key is not replaced by that of another pair", arguments: [true, false])
    func anotherPair(_ isKey: Bool) throws {
        let (trust, own) = ("\(folder.path)/trust", "\(folder.path)/policy")
        try CurveKeys.create(folder: own, service: .policy, trust: trust)
        if isKey { unlink("\(own)/policy.key") } else { write("half", to: "trust/policy.pub") }
        let before = KeyFile.read("\(trust)/policy.pub")
        #expect(throws: BusError.self) { try CurveKeys.create(folder: own, service: .policy, trust: trust) }
        #expect(KeyFile.read("\(trust)/policy.pub") == before)
    }

    private func mode(of path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }
}
