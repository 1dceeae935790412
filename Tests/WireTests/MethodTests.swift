import Foundation
import Testing
import Wire

@Suite("The registry of methods")
struct MethodTests {
    private let methods = RequestTable.all.map { $0.method }

    @Test("the table of these tests is the registry's source, line by line")
    func complete() throws {
        let source = try RequestTable.source("Requests.swift")
        let declared = source.split(separator: "\n").filter { $0.hasSuffix(": ServiceRequest {") }.flatMap {
            RequestTable.names(after: "extension ", in: String($0))
        }
        #expect(declared == RequestTable.all.map { String(describing: $0) })
        // A sample without one would be noticed.
        #expect(RequestTable.names(after: "extension ", in: "extension Ping: ServiceRequest {") == ["Ping"])
    }

    @Test("every request is in the list of all methods, by number, and nothing else is")
    func all() {
        #expect(Method.all.map(\.id) == methods.map(\.id).sorted())
        #expect(Method.all.map(\.name) == methods.sorted { $0.id < $1.id }.map(\.name))
    }

    @Test("no two methods share a number or a name")
    func unique() {
        #expect(Set(methods.map(\.id)).count == methods.count)
        #expect(Set(methods.map(\.name)).count == methods.count)
        #expect(Set(methods).count == methods.count)
    }

    @Test("a method is named after its message")
    func named() { for type in RequestTable.all { #expect(type.method.name == String(describing: type)) } }

    @Test("a number says who answers")
    func hundreds() {
        let hundreds: [ServiceName: UInt16] = [
            .policy: 1, .registration: 2, .challenge: 3, .verifier: 4, .notifier: 5,
        ]
        for method in methods { #expect(hundreds[method.service] == method.id / 100, "\(method.name)") }
    }

    @Test("every method may be asked by somebody, and by nobody who answers it")
    func callers() {
        for method in methods {
            #expect(!method.callers.isEmpty, "\(method.name)")
            #expect(!method.callers.contains(method.service), "\(method.name)")
        }
    }

    @Test(
        "nobody answers the gateway's place at the edge, and the notifier listens to policy and drops addresses, no more"
    )
    func edges() {
        #expect(!methods.contains { $0.service == .gateway })
        #expect(methods.filter { $0.callers.contains(.notifier) }.map(\.name) == ["WatchPolicy", "DropPushAddress"])
    }

    @Test(
        "what decides about a sign-in is asked by exactly one service",
        arguments: [
            ("Settle", ServiceName.verifier), ("VerifyCode", .challenge), ("VerifyPassword", .verifier),
            ("ReadOfflineSecrets", .verifier), ("ConfirmDevice", .challenge), ("BeginDeviceChallenge", .registration),
            ("CancelForPerson", .registration), ("Notify", .challenge), ("BeginChallenge", .gateway),
            ("Redeem", .gateway), ("OpenSession", .gateway), ("StartSession", .gateway),
        ])
    func authority(_ name: String, _ caller: ServiceName) throws {
        let method = try #require(methods.first { $0.name == name })
        #expect(method.callers == [caller])
    }

    @Test("what only reads is named so, and what has an effect is keyed")
    func effects() {
        let readers = [
            "Authenticate", "Await", "Check", "Compare", "List", "Preview", "Read", "Resolve", "Summarize", "Watch",
        ]
        for method in methods {
            let reads = readers.contains { method.name.hasPrefix($0) }
            #expect((method.effect == .reads) == reads, "\(method.name)")
        }
    }

    @Test("exactly those methods park whose request says how long to wait")
    func parked() throws {
        var waiting: Set<String> = []
        for file in ["policy", "registration", "challenge", "verifier", "notifier"] {
            var message = ""
            for line in try RequestTable.source("Schemas/\(file).proto").split(separator: "\n") {
                message = RequestTable.names(after: "message ", in: String(line)).first ?? message
                if line.contains("uint32 wait_ms =") { waiting.insert(message) }
            }
        }
        #expect(Set(methods.filter { $0.wait == .parked }.map(\.name)) == waiting)
        #expect(waiting.count > 3)
    }

    @Test("a service's name is a word of lower-case letters, for keys and logs")
    func serviceNames() {
        for name in ServiceName.allCases { #expect(name.rawValue.allSatisfy { ("a"..."z").contains($0) }) }
    }
}
