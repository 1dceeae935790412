import Wire

/// How lists are cut into pages: by count, and before a page outgrows one message.
enum Paging {
    static func limit(of page: PageQuery) throws -> Int {
        guard page.limit > 0 else { return PolicyConfiguration.pageDefault }
        guard page.limit <= PolicyConfiguration.pageMax else {
            throw ServiceError(
                .outOfRange, "limit must be from 1 to \(PolicyConfiguration.pageMax)",
                members: ["member": "limit", "range": "1-\(PolicyConfiguration.pageMax)"])
        }
        return Int(page.limit)
    }

    /// The place in the list after which the page starts; nil for the first page.
    static func place(of page: PageQuery) throws -> Int64? {
        guard !page.cursor.isEmpty else { return nil }
        guard let place = Int64(page.cursor), place >= 0 else {
            throw ServiceError(.malformed, "the cursor is not one that a list returned", members: ["member": "cursor"])
        }
        return place
    }

    /// At least one row, when there is one; `isCut` says that rows are left.
    static func cut<Row>(_ rows: [Row], to limit: Int, size: (Row) throws -> Int) rethrows -> (rows: [Row], isCut: Bool)
    {
        var bytes = 0
        var kept: [Row] = []
        for row in rows.prefix(limit) {
            bytes += try size(row)
            if bytes > PolicyConfiguration.pageBytesMax, !kept.isEmpty { break }
            kept.append(row)
        }
        return (kept, kept.count < rows.count)
    }
}
