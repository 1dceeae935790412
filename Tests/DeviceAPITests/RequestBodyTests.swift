import DeviceAPI
import Domain
import Foundation
import Testing
import Wire

@testable import GatewayService

@Suite("Bodies that callers send")
struct RequestBodyTests {
    private func check<Body: APIRequest>(_ body: Body, _ members: Set<String>) throws {
        let bytes = try Samples.json(body)
        #expect(try JSONBody.decode(Body.self, from: bytes) == body, "\(Body.self)")
        #expect(try Set(Samples.members(body).keys) == members, "\(Body.self)")
        guard case .members(let shape) = Body.shape else {
            Issue.record("\(Body.self) is no object")
            return
        }
        #expect(Set(shape.keys) == members, "\(Body.self)")
    }

    @Test("every body is read as it was written, under the names of the contract and no others")
    func roundTrips() throws { for (body, members) in Samples.requests { try check(body, members) } }

    /// The body with one more member, at the top or inside another one.
    private func refusal<Body: APIRequest>(_ body: Body, adding name: String, inside outer: String?) throws
        -> ServiceError?
    {
        var members = try Samples.members(body)
        if let outer {
            var inner = members[outer] as? [String: Any] ?? [:]
            inner[name] = 1
            members[outer] = inner
        } else {
            members[name] = 1
        }
        let bytes = Array(try JSONSerialization.data(withJSONObject: members))
        do {
            _ = try JSONBody.decode(Body.self, from: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "a member that a body does not have is refused by its name", arguments: ["colour", "Username", "id ", "", "ü"])
    func unknownMember(_ name: String) throws {
        for (body, _) in Samples.requests {
            let error = try refusal(body, adding: name, inside: nil)
            #expect(error?.code == .unknownMember, "\(type(of: body))")
            #expect(error?.members == ["member": name], "\(type(of: body))")
        }
    }

    @Test("inside another member it is refused by its path")
    func nested() throws {
        let activation = Samples.requests.compactMap { $0.body as? ActivationRequest }[0]
        let patch = Samples.requests.compactMap { $0.body as? DevicePatch }[0]
        for error in [
            try refusal(activation, adding: "colour", inside: "push"),
            try refusal(patch, adding: "colour", inside: "push"),
        ] {
            #expect(error?.code == .unknownMember && error?.members == ["member": "push.colour"])
        }
        let device = try refusal(activation, adding: "colour", inside: "device")
        #expect(device?.members == ["member": "device.colour"])
    }

    @Test("in a request's context anything goes")
    func context() throws {
        let request = SignInRequest(username: "alice", context: SignInContext(ipAddress: "203.0.113.7"))
        #expect(try refusal(request, adding: "anything", inside: "context") == nil)
        let body = #"{"username":"alice","context":{"a":{"b":[1,{"c":null}]},"userAgent":"Browser"}}"#
        let read = try JSONBody.decode(SignInRequest.self, from: Array(body.utf8))
        #expect(read.context == SignInContext(userAgent: "Browser"))
    }

    @Test("members that may be left out may be left out, or null")
    func optional() throws {
        for body in [
            #"{"username":"alice"}"#, #"{"username":"alice","factor":null,"application":null,"context":null}"#,
        ] {
            let read = try JSONBody.decode(SignInRequest.self, from: Array(body.utf8))
            #expect(read == SignInRequest(username: "alice"))
        }
        #expect(try JSONBody.decode(DevicePatch.self, from: Array("{}".utf8)) == DevicePatch())
    }

    @Test(
        "what is missing, of the wrong type or not one of the words is malformed, and named",
        arguments: [
            (#"{}"#, "username"), (#"{"username":null}"#, "username"), (#"{"username":7}"#, "username"),
            (#"{"username":"a","factor":"three"}"#, "factor"), (#"{"username":"a","context":[]}"#, "context"),
            (#"{"username":"a","context":{"ipAddress":1}}"#, "context.ipAddress"),
        ])
    func named(_ body: String, _ member: String) {
        do {
            _ = try JSONBody.decode(SignInRequest.self, from: Array(body.utf8))
            Issue.record("it was read")
        } catch {
            #expect(error.code == .malformed)
            #expect(error.detail.contains("the member \(member) "))
        }
    }

    @Test(
        "what two readers could read differently is malformed",
        arguments: [
            #"{"username":"a","username":"b"}"#, #"{"username":"a","\u0075sername":"b"}"#,
            #"{"username":"a"} {"username":"b"}"#, #"{"username":"a"},"#, "\u{FEFF}" + #"{"username":"a"}"#,
            #"{"username":"a",}"#, #"{username:"a"}"#, #"{'username':'a'}"#, #"{"username":"a"}//"#,
            #"{"username":"\uD800"}"#, "[]", "", " ", "null", #""username""#, #"{"username":NaN}"#,
            #"{"username":"a","context":{"x":01}}"#, #"{"username":"a","context":{"x":1.}}"#,
            #"{"username":"a","context":{"x":+1}}"#, #"{"username":"a\u0000"}"#,
            #"{"username":"a","context":{"x":"\u0000"}}"#,
            #"{"username":"a","context":\#(String(repeating: "[", count: 40))\#(String(repeating: "]", count: 40))}"#,
        ])
    func ambiguous(_ body: String) {
        #expect(throws: ServiceError.self) { try JSONBody.decode(SignInRequest.self, from: Array(body.utf8)) }
        do {
            _ = try JSONBody.decode(SignInRequest.self, from: Array(body.utf8))
        } catch {
            #expect(error.code == .malformed, "\(body)")
        }
    }

    @Test("bytes that are not UTF-8 are malformed")
    func notUnicode() {
        let body = Array(#"{"username":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
        #expect(throws: ServiceError.self) { try JSONBody.decode(SignInRequest.self, from: body) }
    }
}
