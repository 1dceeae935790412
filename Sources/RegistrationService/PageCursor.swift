import Proofs
import ServiceKit
import Wire

extension PageQuery {
    /// Where the page begins: the sort key of the last item before it. Nil for the first page.
    func position() throws(ServiceError) -> String? {
        if cursor.isEmpty { return nil }
        // No key of ours has U+0000, and a store may not take it.
        guard let bytes = Base64URL.decode(cursor), !bytes.contains(0),
            let text = String(validating: bytes, as: UTF8.self)
        else {
            throw ServiceError(.malformed, "the cursor is not one that this list gave")
        }
        return text
    }

    /// `rows` was read with one more than the page may hold: what is shown, and the cursor of the next page.
    func page<Item>(_ rows: [Item], key: (Item) -> String, size: (Item) throws -> Int) throws -> (
        shown: [Item], next: String
    ) {
        let page = try Paging.cut(rows, to: Paging.limit(of: self), size: size)
        guard page.isCut, let last = page.rows.last else { return (page.rows, "") }
        return (page.rows, Base64URL.encode(Array(key(last).utf8)))
    }
}
