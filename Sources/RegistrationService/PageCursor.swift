import Proofs
import Wire

extension PageQuery {
    /// Where the page begins: the sort key of the last item before it. Nil for the first page.
    func position() throws(ServiceError) -> String? {
        if cursor.isEmpty { return nil }
        guard let bytes = Base64URL.decode(cursor), let text = String(validating: bytes, as: UTF8.self) else {
            throw ServiceError(.malformed, "the cursor is not one that this list gave")
        }
        return text
    }

    /// 100 when nothing is said, at most 1,000.
    var count: Int { limit == 0 ? 100 : min(Int(limit), 1000) }

    /// `rows` was read with one more than the page holds: what is shown, and the cursor of the next page.
    func page<Item>(_ rows: [Item], key: (Item) -> String) -> (shown: [Item], next: String) {
        guard rows.count > count, let last = rows.prefix(count).last else { return (rows, "") }
        return (Array(rows.prefix(count)), Base64URL.encode(Array(key(last).utf8)))
    }
}
