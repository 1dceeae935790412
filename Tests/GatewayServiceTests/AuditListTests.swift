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
            var entries: [AuditDocument] = []
            var cursor: String?
            repeat {
                let query = "limit=\(limit)" + (cursor.map { "&cursor=\($0)" } ?? "")
                let answer = try await gateway.send(
                    .GET, "/v1/demo/admin/audit?\(query)", [GatewayHarness.administrator])
                let page = try JSONDecoder().decode(Page<AuditDocument>.self, from: Data(answer.body.utf8))
                #expect(page.items.count <= limit)
                entries += page.items
                cursor = page.next
            } while cursor != nil
            #expect(entries.count == 70 && Set(entries.map(\.id)).count == 70)
            #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.at >= $1.at })
        }
    }
}
