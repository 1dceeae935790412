import DeviceAPI
import Domain
import Foundation
import Messaging
import NIOHTTP1
import SwiftProtobuf
import Testing
import Wire

@testable import GatewayService

@Suite("The audit log")
struct AuditListTests {
    /// Rows of one service, newest first; `cut` rows at most come at once, as when a page would be too large.
    private static func reply(_ name: String, _ rows: Int, _ page: PageQuery, cut: Int) -> ListAuditReply {
        let start = Int(page.cursor) ?? 0
        let end = min(rows, start + min(Int(page.limit), cut))
        return .with { reply in
            reply.entries = (start..<end).map { index in
                AuditEntry.with {
                    $0.id = "\(name)-\(rows - index)"
                    $0.atMs = Int64(10_000 - 10 * index + name.count)
                }
            }
            reply.next = end < rows ? String(end) : ""
        }
    }

    private static func pages(of gateway: GatewayHarness, limit: Int) async throws -> [[AuditDocument]] {
        var pages: [[AuditDocument]] = []
        var cursor: String?
        repeat {
            let query = "limit=\(limit)" + (cursor.map { "&cursor=\($0)" } ?? "")
            let answer = try await gateway.send(
                .GET, "/v1/demo/admin/audit?\(query)", [GatewayHarness.administrator])
            let page = try JSONDecoder().decode(Page<AuditDocument>.self, from: Data(answer.body.utf8))
            pages.append(page.items)
            cursor = page.next
        } while cursor != nil
        return pages
    }

    @Test(
        "says what the people and groups of a policy are called now, and which of them are gone; the log is shown without the directory, too"
    )
    func targets() async throws {
        @Sendable func policy(_ groups: [String]) -> String {
            var policy = AuthenticatorPolicy.initial
            policy.includeTargets = groups.map { .init(targetType: .group, id: $0) }
            policy.excludeTargets = [.init(targetType: .user, id: "p1")]
            return policy.document.canonicalText
        }
        for isThere in [true, false] {
            try await GatewayHarness.run { gateway in
                gateway.policy {
                    $0.on(ListPolicyAudit.self) { _, _ in
                        .with {
                            $0.entries = [
                                .with {
                                    ($0.id, $0.atMs, $0.action) = ("policy-1", 1, "policy.change")
                                    ($0.beforeJson, $0.afterJson) = (policy(["all_users"]), policy(["g1", "g2"]))
                                }
                            ]
                        }
                    }
                }
                gateway.add(.registration) {
                    $0.on(ListDirectoryAudit.self) { _, _ in
                        .with {
                            $0.entries = [.with { ($0.id, $0.atMs, $0.action) = ("registration-1", 0, "user.block") }]
                        }
                    }
                    $0.on(CheckTargets.self) { request, _ in
                        guard isThere else { throw ServiceError(.unavailable, "not now") }
                        #expect(request.groupIds == ["g1", "g2"] && request.personIds == ["p1"])
                        return .with {
                            ($0.groupNames, $0.personNames) = (["g1": "Staff"], ["p1": "Alice"])
                            $0.unknownGroupIds = ["g2"]
                        }
                    }
                }
                gateway.add(.verifier) { $0.on(ListVerifierAudit.self) { _, _ in ListAuditReply() } }
                let answer = try await gateway.send(.GET, "/v1/demo/admin/audit", [GatewayHarness.administrator])
                let page = try JSONDecoder().decode(Page<AuditDocument>.self, from: Data(answer.body.utf8))
                let expected = [
                    AuditTarget(targetType: .user, id: "p1", name: "Alice"),
                    AuditTarget(targetType: .group, id: "g1", name: "Staff"), AuditTarget(targetType: .group, id: "g2"),
                ]
                #expect(page.items.map(\.targets) == [isThere ? expected : nil, nil])
            }
        }
    }

    @Test("leaves no row out where an import wrote many in one millisecond")
    func oneMoment() async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy { $0.on(ListPolicyAudit.self) { _, _ in ListAuditReply() } }
            gateway.add(.registration) {
                $0.on(ListDirectoryAudit.self) { request, _ in
                    let reply = Self.reply("directory", 120, request.page, cut: 100)
                    return .with { moment in
                        moment.next = reply.next
                        moment.entries = reply.entries.map { entry in .with { ($0.id, $0.atMs) = (entry.id, 7) } }
                    }
                }
            }
            gateway.add(.verifier) { $0.on(ListVerifierAudit.self) { _, _ in ListAuditReply() } }
            let pages = try await Self.pages(of: gateway, limit: 50)
            #expect(pages.first?.count == 50)
            #expect(pages.joined().map(\.id) == (1...120).reversed().map { "directory-\($0)" })
        }
    }

    @Test(
        "is one list, newest first over all its pages, whatever the services give at once", arguments: [1, 3, 7, 100])
    func order(limit: Int) async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy {
                $0.on(ListPolicyAudit.self) { request, _ in Self.reply("policy", 20, request.page, cut: 100) }
            }
            gateway.add(.registration) {
                $0.on(ListDirectoryAudit.self) { request, _ in Self.reply("directory", 40, request.page, cut: 4) }
            }
            gateway.add(.verifier) {
                $0.on(ListVerifierAudit.self) { request, _ in Self.reply("verifier", 10, request.page, cut: 5) }
            }
            let pages = try await Self.pages(of: gateway, limit: limit)
            #expect(pages.allSatisfy { $0.count <= limit })
            let entries = pages.flatMap(\.self)
            #expect(entries.count == 70 && Set(entries.map(\.id)).count == 70)
            #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.at >= $1.at })
        }
    }
}
