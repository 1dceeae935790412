package import Wire

/// How lists are cut into pages: by count, and before a page outgrows one message.
package enum Paging {
    package static let rowsDefault = 100
    package static let rowsMax = 1000
    /// Where a page ends early: half a frame, so that no estimate of a row's size has to be exact.
    package static let bytesMax = 131_072

    /// How many rows the page may have. Throws `outOfRange`.
    package static func limit(of page: PageQuery) throws(ServiceError) -> Int {
        guard page.limit > 0 else { return rowsDefault }
        guard page.limit <= rowsMax else {
            throw ServiceError(
                .outOfRange, "limit must be from 1 to \(rowsMax)",
                members: ["member": "limit", "range": "1-\(rowsMax)"])
        }
        return Int(page.limit)
    }

    /// The place in a list by number after which the page starts; nil for the first page. Throws `malformed`.
    package static func place(of page: PageQuery) throws(ServiceError) -> Int64? {
        guard !page.cursor.isEmpty else { return nil }
        guard let place = Int64(page.cursor), place >= 0 else {
            throw ServiceError(.malformed, "the cursor is not one that a list returned", members: ["member": "cursor"])
        }
        return place
    }

    /// Of `rows`, read with one more than `limit`, those that are shown: at least one, when there is one. `isCut` says that rows are
    /// left.
    package static func cut<Row>(_ rows: [Row], to limit: Int, size: (Row) throws -> Int) rethrows -> (
        rows: [Row], isCut: Bool
    ) {
        var bytes = 0
        var kept: [Row] = []
        for row in rows.prefix(limit) {
            bytes += try size(row)
            if bytes > bytesMax, !kept.isEmpty { break }
            kept.append(row)
        }
        return (kept, kept.count < rows.count)
    }
}
