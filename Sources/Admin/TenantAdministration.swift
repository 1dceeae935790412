import DeviceAPI
import Domain
import Foundation

/// One tenant, as its administrator sees it: what several commands need.
struct TenantAdministration {
    let client: GatewayClient
    let tenant: TenantID
    let output: Output

    /// Every item of a paged list, at most `limit` when given.
    func all<Item: APIReply>(
        _ type: Item.Type, _ path: String, _ query: [(String, String?)] = [], limit: Int = .max
    ) async throws -> [Item] {
        var items: [Item] = []
        var cursor: String?
        repeat {
            let size = String(min(APILimits.pageMax, limit - items.count))
            let page: Page<Item> = try await client.call(.get(path, query + [("limit", size), ("cursor", cursor)]))
                .decode()
            items += page.items
            cursor = page.next
        } while cursor != nil && items.count < limit
        return items
    }

    /// The person with this user name, however it is capitalised, or this id.
    func person(_ text: String) async throws -> UserDocument {
        let folded = FoldedUsername(text)
        let found = try await all(UserDocument.self, APIPaths.users(tenant), [("search", text)])
        if let user = found.first(where: { FoldedUsername($0.username) == folded })
            ?? found.first(where: { $0.id == text })
        {
            return user
        }
        let reply = try await client.exchange(.get(APIPaths.user(tenant, PersonID(GatewayClient.encoded(text)))))
        guard reply.status == 200 else { throw AdminFailure(.noInput, "there is no user \(text.plain)") }
        return try reply.decode()
    }

    /// The group with this name or id.
    func group(_ text: String) async throws -> GroupDocument {
        let found = try await all(GroupDocument.self, APIPaths.groups(tenant), [("search", text)])
        if let group = found.first(where: { $0.name == text }) ?? found.first(where: { $0.id == text }) { return group }
        let every = try await all(GroupDocument.self, APIPaths.groups(tenant))
        guard let group = every.first(where: { $0.id == text }) else {
            throw AdminFailure(.noInput, "there is no group \(text.plain)")
        }
        return group
    }

    func personID(_ text: String) async throws -> PersonID { PersonID(try await person(text).id) }
    func groupID(_ text: String) async throws -> GroupID { GroupID(try await group(text).id) }

    /// Reads a document, changes it, and writes it unless someone else did in between.
    func change(_ path: String, _ patch: (JSONValue) async throws -> JSONValue) async throws -> JSONValue {
        let current = try await client.call(.get(path))
        var call = try GatewayCall.patch(path, try await patch(current.decode()))
        guard let etag = current.etag else { throw AdminFailure(.unexpectedReply, "the gateway sent no ETag") }
        call.headers = [("If-Match", etag)]
        return try await client.call(call).decode()
    }
}
