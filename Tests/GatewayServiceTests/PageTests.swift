import DeviceAPI
import Domain
import Foundation
import GatewayService
import Messaging
import NIOHTTP1
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

@Suite struct PageTests {
    private static let page = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
    private static let cookie = ("Cookie", "countersign-session-demo=token")

    private static func session(_ gateway: GatewayHarness, isOpen: Bool = true, roles: [String] = []) {
        gateway.add(.registration) {
            $0.on(ResolveSession.self) { _, _ in
                guard isOpen else { throw ServiceError(.notAuthenticated) }
                return .with { $0.person = .with { ($0.id, $0.username, $0.roles) = ("p1", "alice", roles) } }
            }
            $0.on(ReadOwnMethods.self) { request, _ in
                .with { $0.person = .with { ($0.id, $0.groups) = (request.personID, ["g1"]) } }
            }
        }
    }

    private static let administration = [
        "", "/policy", "/people", "/people/p1", "/groups", "/groups/g1", "/applications", "/sign-ins", "/audit",
        "/settings",
    ]

    @Test("administration is for administrators: others get a page that says so, and nobody is led to sign-in and back")
    func administrators() async throws {
        try await GatewayHarness.run { gateway in
            let redirected = try await gateway.send(.GET, "/demo/admin/sign-ins?status=denied&user=a%26b", [Self.page])
            #expect(redirected.status == 303)
            #expect(
                redirected.headers.first(name: "Location")
                    == "/demo/sign-in?return=/demo/admin/sign-ins%3Fstatus%3Ddenied%26user%3Da%2526b")
            Self.session(gateway)
            let refused = try await gateway.send(.GET, "/demo/admin/people", [Self.page, Self.cookie])
            #expect(refused.status == 403)
            #expect(refused.body.contains("Only for administrators"))
            #expect(refused.body.contains("/demo/sign-in?prompt=login&amp;return=/demo/admin/people"))
        }
        try await GatewayHarness.run { gateway in
            Self.session(gateway, roles: ["administrator"])
            for language in ["en", "de"] {
                for path in Self.administration {
                    let answer = try await gateway.send(
                        .GET, "/demo/admin\(path)", [Self.page, Self.cookie, ("Accept-Language", language)])
                    #expect(answer.status == 200)
                    #expect(answer.body.split(separator: "aria-current=\"page\"").count == 2, "\(path)")
                    #expect(answer.body.split(separator: "<h1").count == 2, "\(path)")
                    for forbidden in ["style=", "onclick=", "<style", "<script>", "{{", "{tenant}"] {
                        #expect(!answer.body.contains(forbidden), "\(path) has \(forbidden)")
                    }
                }
            }
        }
    }

    @Test("an administrator's script asks only for texts that its page gives it")
    func administrationTexts() async throws {
        try await GatewayHarness.run { gateway in
            Self.session(gateway, roles: ["administrator"])
            for path in Self.administration {
                let page = try await gateway.send(.GET, "/demo/admin\(path)", [Self.page, Self.cookie])
                let given = Set(page.body.matches(of: /data-key="([^"]+)"/).map { String($0.output.1) })
                let scripts = Self.addresses(page.body).filter { $0.hasSuffix(".js") }
                #expect(scripts.count > 4)
                for script in scripts {
                    let text = try await gateway.send(.GET, script).body
                    for key in text.matches(of: /"((?:says|admin\w*)\.\w+)"/).map({ String($0.output.1) }) {
                        #expect(given.contains(key), "\(path): \(script) asks for \(key)")
                    }
                }
            }
        }
    }

    /// The addresses in `src` and `href` of a page.
    private static func addresses(_ html: String) -> [String] {
        html.matches(of: /(?:src|href)="([^"]*)"/).map { String($0.output.1) }
    }

    @Test("where the policy lets nobody approve on a phone the sign-in page says so, and no way of it leads nowhere")
    func noPhone() async throws {
        try await GatewayHarness.run { gateway in
            func page() async throws -> String { try await gateway.send(.GET, "/demo/sign-in", [Self.page]).body }
            let demo = TenantID("demo")
            gateway.tenants.change(demo) { $1.offlineCodeAlone = true }
            let (said, approve) = ("Approving a request on your phone is not available here", #"id="approve""#)
            let (marks, code) = ((" data-no-phone", " data-code-alone"), "<strong>Use a verification code</strong>")
            let usual = try await page()
            #expect(!usual.contains(said) && !usual.contains(marks.0) && usual.contains(marks.1))
            #expect(usual.contains(approve) && usual.contains(code))
            gateway.tenants.change(demo) { policy, _ in policy.state = .disabled }
            let off = try await page()
            #expect(off.contains(said) && off.contains(marks.0) && !off.contains(approve))
            // Where the policy covers nobody no code does without the password.
            #expect(off.contains(code) && !off.contains(marks.1))
            gateway.tenants.change(demo) { policy, _ in policy.isSoftwareOathEnabled = false }
            let withoutCodes = try await page()
            #expect(!withoutCodes.contains(code))
        }
    }

    @Test("a page may load from its own origin alone, runs nothing of its own text, and is never kept")
    func headers() async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.send(.GET, "/demo/sign-in", [Self.page])
            #expect(answer.status == 200)
            let policy = answer.headers.first(name: "Content-Security-Policy") ?? ""
            #expect(
                policy == "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                    + "connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
                    + "frame-ancestors 'none'; base-uri 'none'")
            for (name, value) in [
                ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"), ("X-Content-Type-Options", "nosniff"),
                ("Cross-Origin-Opener-Policy", "same-origin"), ("Content-Language", "en"),
                ("Vary", "Accept-Encoding, Accept-Language"),
            ] {
                #expect(answer.headers.first(name: name) == value)
            }
            #expect(answer.headers.first(name: "Permissions-Policy")?.contains("camera=(self)") == true)
            #expect(answer.body.contains("<title>Sign in · Demo</title>"))
            #expect(Self.addresses(answer.body).allSatisfy { $0.hasPrefix("/assets/") || $0.hasPrefix("#") })
            for forbidden in ["style=", "onclick=", "<style", "<script>", "{{"] {
                #expect(!answer.body.contains(forbidden))
            }
        }
    }

    @Test(
        "a page speaks the best language of Accept-Language, and English where there is none",
        arguments: [
            ("de", "de"), ("de-CH,de;q=0.9,en;q=0.8", "de"), ("en;q=0.1,de;q=0.2", "de"), ("de;q=0", "en"),
            ("fr,it;q=0.5", "en"), ("*", "en"), ("fr, *;q=0.1, DE;q=0.2", "de"), (";;q=,", "en"), ("", "en"),
        ])
    func languages(accepted: String, language: String) async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.send(.GET, "/demo/sign-in", [("Accept-Language", accepted)])
            #expect(answer.body.contains("<html lang=\"\(language)\">"))
            #expect(answer.body.contains(language == "de" ? "bei Demo" : "to Demo"))
        }
    }

    @Test(
        "a sign-in leads back to a path of the same origin, and to security info from anything else",
        arguments: [
            ("/demo/security-info?x=1", true), ("//evil.example", false), ("/\\evil.example", false),
            ("https://evil.example", false), ("javascript:alert(1)", false), ("/a\nb", false), ("", false),
        ])
    func returnPaths(path: String, isTaken: Bool) async throws {
        try await GatewayHarness.run { gateway in
            let query = path.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            let answer = try await gateway.send(.GET, "/demo/sign-in?return=\(query)")
            #expect(answer.body.contains("data-return=\"\(isTaken ? path : "/demo/security-info")\""))
        }
    }

    @Test("what a query says never becomes part of the page's code")
    func escaping() async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.send(.GET, "/demo/sign-in?return=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
            #expect(answer.body.contains("data-return=\"/&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\""))
        }
    }

    @Test("security info without a session leads to sign-in and back; with one, sign-in leads to where it was asked to")
    func sessions() async throws {
        try await GatewayHarness.run { gateway in
            let first = try await gateway.send(.GET, "/demo/security-info", [Self.page])
            #expect(first.status == 303)
            #expect(first.headers.first(name: "Location") == "/demo/sign-in?return=/demo/security-info")
            Self.session(gateway)
            #expect(try await gateway.send(.GET, "/demo/security-info", [Self.page, Self.cookie]).status == 200)
            let signIn = try await gateway.send(.GET, "/demo/sign-in?return=/demo/x", [Self.page, Self.cookie])
            #expect(signIn.status == 303)
            #expect(signIn.headers.first(name: "Location") == "/demo/x")
            #expect(try await gateway.send(.GET, "/demo/sign-in?prompt=login", [Self.page, Self.cookie]).status == 200)
        }
        try await GatewayHarness.run { gateway in
            Self.session(gateway, isOpen: false)
            let redirected = try await gateway.send(.GET, "/demo/security-info", [Self.page, Self.cookie])
            #expect(redirected.status == 303)
            let shown = try await gateway.send(.GET, "/demo/sign-in", [Self.page, Self.cookie])
            #expect(shown.status == 200)
        }
    }

    @Test("security info says whom the policy leaves out, and leads administrators back to administration")
    func securityInfo() async throws {
        try await GatewayHarness.run { gateway in
            Self.session(gateway)
            let allowed = try await gateway.send(.GET, "/demo/security-info", [Self.page, Self.cookie]).body
            #expect(!allowed.contains("data-not-allowed") && !allowed.contains("/demo/admin"))
            #expect(allowed.contains("data-silence-minutes=\"30\""))
            gateway.tenants.change(TenantID("demo")) { policy, settings in
                policy.excludeTargets = [.init(targetType: .group, id: "g1")]
                settings.silenceMinutes = 7
            }
            let excluded = try await gateway.send(.GET, "/demo/security-info", [Self.page, Self.cookie]).body
            #expect(excluded.contains("data-not-allowed") && excluded.contains("data-silence-minutes=\"7\""))
            #expect(excluded.contains("does not let you use the Authenticator app"))
        }
        try await GatewayHarness.run { gateway in
            Self.session(gateway, roles: ["administrator"])
            let body = try await gateway.send(.GET, "/demo/security-info", [Self.page, Self.cookie]).body
            #expect(body.contains("href=\"/demo/admin\""))
        }
    }

    @Test("a bare address leads to sign-in: a tenant's own, and that of the system where it has one tenant alone")
    func bareAddresses() async throws {
        try await GatewayHarness.run { gateway in
            let front = try await gateway.send(.GET, "/demo", [Self.page])
            #expect(front.status == 303 && front.headers.first(name: "Location") == "/demo/sign-in")
            #expect(try await gateway.send(.GET, "/nowhere", [Self.page]).status == 404)
            #expect(try await gateway.send(.GET, "/", [Self.page]).status == 404)
            gateway.soleTenant.withLock { $0 = TenantID("demo") }
            let root = try await gateway.send(.GET, "/", [Self.page])
            #expect(root.status == 303 && root.headers.first(name: "Location") == "/demo/sign-in")
        }
    }

    @Test("an asset is kept for ever under its hashed name, and asked for again under its plain one")
    func assets() async throws {
        try await GatewayHarness.run { gateway in
            let page = try await gateway.send(.GET, "/demo/sign-in")
            let paths = Set(
                Self.addresses(page.body).filter { $0.hasPrefix("/assets/") }.map { $0.prefix { $0 != "#" } })
            #expect(paths.count > 5)
            for path in paths {
                let answer = try await gateway.send(.GET, String(path))
                #expect(answer.status == 200)
                #expect(answer.headers.first(name: "Cache-Control") == "public, max-age=31536000, immutable")
                let tag = try #require(answer.headers.first(name: "ETag"))
                #expect(path.contains(tag.dropFirst().dropLast()), "the tag is the hash in the name")
                let again = try await gateway.send(.GET, String(path), [("If-None-Match", "\"x\", W/\(tag)")])
                #expect(again.status == 304 && again.body.isEmpty)
                #expect(again.headers.first(name: "ETag") == tag)
            }
            let plain = try await gateway.send(.GET, "/assets/countersign.css")
            #expect(plain.headers.first(name: "Cache-Control") == "no-cache")
            #expect(plain.headers.first(name: "Content-Type") == "text/css; charset=utf-8")
            for path in [
                "/assets/countersign.000000000000.css", "/assets/nothing.js", "/assets/..%2fx", "/assets/en.json",
            ] {
                #expect(try await gateway.send(.GET, path).status == 404)
            }
        }
    }

    @Test("an asset comes compressed where that is accepted, under a tag of its own")
    func compression() async throws {
        try await GatewayHarness.run { gateway in
            let path = "/assets/countersign.css"
            let plain = try await gateway.send(.GET, path)
            #expect(plain.headers.first(name: "Content-Encoding") == nil)
            let tag = try #require(plain.headers.first(name: "ETag"))
            for (accepted, isCompressed) in [("gzip, br", true), ("gzip;q=0", false), ("*", true), ("br", false)] {
                let answer = try await gateway.send(.HEAD, path, [("Accept-Encoding", accepted)])
                #expect((answer.headers.first(name: "Content-Encoding") == "gzip") == isCompressed)
                #expect((answer.headers.first(name: "ETag") == tag) == !isCompressed)
                #expect(answer.headers.first(name: "Vary") == "Accept-Encoding")
            }
        }
    }

    @Test("scripts and style sheets come without their comments, each line where it is in the source")
    func comments() async throws {
        try await GatewayHarness.run { gateway in
            for (name, bytes) in WebFiles.assets where name.hasSuffix(".js") || name.hasSuffix(".css") {
                let source = String(decoding: bytes, as: UTF8.self).split(
                    separator: "\n", omittingEmptySubsequences: false)
                let served = try await gateway.send(.GET, "/assets/\(name)").body.split(
                    separator: "\n", omittingEmptySubsequences: false)
                #expect(served.count == source.count, "\(name)")
                for (line, written) in zip(served, source) where line != written {
                    #expect(line.isEmpty || written.contains("\"./"), "\(name): \(written)")
                }
                for line in served.map({ $0.drop(while: \.isWhitespace) }) {
                    #expect(!line.hasPrefix("//") && !line.hasPrefix("/*"), "\(name): \(line)")
                    // A text over several lines could hold what looks like a comment.
                    #expect(line.count(where: { $0 == "`" }).isMultiple(of: 2), "\(name): \(line)")
                }
            }
        }
    }

    @Test("every module that a script imports is there under the name that it is imported by")
    func modules() async throws {
        try await GatewayHarness.run { gateway in
            for name in WebFiles.assets.keys where name.hasSuffix(".js") {
                let script = try await gateway.send(.GET, "/assets/\(name)")
                for imported in script.body.matches(of: /from "\.\/([^"]+)"/).map({ String($0.output.1) }) {
                    let answer = try await gateway.send(.GET, "/assets/\(imported)")
                    #expect(answer.status == 200, "\(name) imports \(imported)")
                    #expect(answer.headers.first(name: "Cache-Control")?.contains("immutable") == true)
                }
            }
        }
    }

    @Test("what is not there is a page for a browser, and a problem document for everyone else")
    func notFound() async throws {
        try await GatewayHarness.run { gateway in
            for path in ["/nowhere/sign-in", "/", "/no/such/page", "/UPPER/sign-in"] {
                let answer = try await gateway.send(.GET, path, [Self.page, ("Accept-Language", "de")])
                #expect(answer.status == 404)
                #expect(answer.headers.first(name: "Content-Type") == "text/html; charset=utf-8")
                #expect(answer.headers.first(name: "Content-Security-Policy") != nil)
                #expect(answer.body.contains("Hier ist nichts"))
                #expect(answer.headers.first(name: "X-Request-Id").map { answer.body.contains($0) } == true)
                #expect(try await gateway.send(.GET, path).problem?.code == "not_found")
            }
            for (path, front) in [("/demo/nothing", "/demo"), ("/nowhere/sign-in", nil), ("/", nil)] {
                let body = try await gateway.send(.GET, path, [Self.page]).body
                #expect(body.contains("href=\"\(front ?? "/demo")\"") == (front != nil))
            }
            gateway.soleTenant.withLock { $0 = TenantID("demo") }
            #expect(try await gateway.send(.GET, "/nowhere/sign-in", [Self.page]).body.contains("href=\"/demo\""))
            #expect(try await gateway.send(.GET, "/v1/demo/nothing", [Self.page]).problem?.code == "not_found")
            #expect(try await gateway.send(.POST, "/demo/sign-in", [Self.page]).problem?.code == "method_not_allowed")
        }
    }

    @Test("a page whose session cannot be looked up says that it is temporarily unavailable")
    func unavailable() async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.send(.GET, "/demo/security-info", [Self.page, Self.cookie])
            #expect(answer.status == 503)
            #expect(answer.headers.first(name: "Retry-After") != nil)
            #expect(answer.body.contains("Temporarily unavailable"))
            #expect(answer.body.contains("href=\"\"") && !answer.body.contains("href=\"/demo\""))
        }
    }

    @Test("the phone in a browser is a page of no tenant, whose service worker keeps every file that the page names")
    func authenticator() async throws {
        try await GatewayHarness.run { gateway in
            let page = try await gateway.send(.GET, "/authenticator", [Self.page, ("Accept-Language", "de")])
            #expect(page.status == 200)
            #expect(page.headers.first(name: "Content-Language") == "de")
            #expect(page.headers.first(name: "Content-Security-Policy")?.contains("worker-src 'self'") == true)
            let worker = try await gateway.send(.GET, "/authenticator/service-worker.js")
            #expect(worker.headers.first(name: "Content-Type") == "text/javascript; charset=utf-8")
            #expect(worker.headers.first(name: "Service-Worker-Allowed") == "/authenticator")
            #expect(worker.headers.first(name: "Cache-Control") == "no-cache")
            #expect(worker.headers.first(name: "Content-Security-Policy")?.hasPrefix("default-src 'none'") == true)
            let named = Self.addresses(page.body).map { String($0.prefix { $0 != "#" }) }
            // The icon of a home screen is asked for when it is put there.
            for path in named where path.hasPrefix("/assets/") && !path.hasSuffix(".png") {
                #expect(worker.body.contains("\"\(path)\""), "\(path)")
            }
            for path in worker.body.matches(of: /"(\/assets\/[^"]+)"/).map({ String($0.output.1) }) {
                #expect(try await gateway.send(.GET, path).status == 200, "\(path)")
            }
        }
    }

    @Test("a person's sign-ins are the own ones, with what the person did and never why a request did not ring")
    func ownSignIns() async throws {
        try await GatewayHarness.run { gateway in
            Self.session(gateway)
            gateway.challenge {
                $0.on(ListSignIns.self) { request, _ in
                    #expect(request.username == "alice" && request.page.cursor == "c" && request.page.limit == 2)
                    return .with {
                        $0.entries = [
                            ("1", "p1", "wrong_number"), ("2", "p2", "declined"), ("3", "p1", "outside_policy"),
                        ].map {
                            entry in
                            .with {
                                ($0.id, $0.personID, $0.reason) = entry
                                ($0.purpose, $0.status, $0.atMs) = ("signIn", "denied", 1_700_000_000_000)
                                ($0.clientID, $0.requestID, $0.decoy) = ("app", "r", true)
                            }
                        }
                        $0.next = "d"
                    }
                }
            }
            let answer = try await gateway.send(.GET, "/v1/demo/me/sign-ins?cursor=c&limit=2", [Self.cookie])
            func line(_ id: String, _ reason: String) -> String {
                #"{"id":"\#(id)","at":"2023-11-14T22:13:20.000Z","purpose":"signIn","application":null,"status":"denied","#
                    + #""reason":\#(reason),"method":null,"deviceId":null,"deviceName":null,"ipAddress":null,"#
                    + #""userAgent":null,"settledAt":null}"#
            }
            #expect(answer.body == #"{"items":[\#(line("1", #""wrong_number""#)),\#(line("3", "null"))],"next":"d"}"#)
            #expect(try await gateway.send(.GET, "/v1/demo/me/sign-ins").problem?.code == "not_authenticated")
        }
    }
}
