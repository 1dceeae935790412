/// RFC 9457 problem details with the members `code` (of a closed list) and `requestId`.
package struct ProblemDocument: APIReply {
    package var type: String
    package var title: String
    package var status: Int
    package var detail: String
    package var code: String
    package var requestId: String
    /// Further members of some codes: `minimum` of `update_required`, `member` of `unknown_member` and `out_of_range`.
    package var members: [String: String]

    package enum CodingKeys: String, CodingKey, CaseIterable { case type, title, status, detail, code, requestId }

    package init(
        code: String, title: String, status: Int, detail: String = "", requestId: String,
        members: [String: String] = [:]
    ) {
        // RFC 9457 section 4.2.1: with about:blank the title is the status's own phrase; `code` is what programs read.
        type = "about:blank"
        self.title = title
        self.status = status
        self.detail = detail
        self.code = code
        self.requestId = requestId
        self.members = members
    }

    private struct Member: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package init(from decoder: any Decoder) throws {
        let known = try decoder.container(keyedBy: CodingKeys.self)
        type = try known.decodeIfPresent(String.self, forKey: .type) ?? "about:blank"
        title = try known.decodeIfPresent(String.self, forKey: .title) ?? ""
        status = try known.decodeIfPresent(Int.self, forKey: .status) ?? 0
        detail = try known.decodeIfPresent(String.self, forKey: .detail) ?? ""
        code = try known.decodeIfPresent(String.self, forKey: .code) ?? ""
        requestId = try known.decodeIfPresent(String.self, forKey: .requestId) ?? ""
        let all = try decoder.container(keyedBy: Member.self)
        members = [:]
        for key in all.allKeys where CodingKeys(stringValue: key.stringValue) == nil {
            members[key.stringValue] = try? all.decode(String.self, forKey: key)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var known = encoder.container(keyedBy: CodingKeys.self)
        try known.encode(type, forKey: .type)
        try known.encode(title, forKey: .title)
        try known.encode(status, forKey: .status)
        try known.encode(detail, forKey: .detail)
        try known.encode(code, forKey: .code)
        try known.encode(requestId, forKey: .requestId)
        var further = encoder.container(keyedBy: Member.self)
        for (name, value) in members where CodingKeys(stringValue: name) == nil {
            try further.encode(value, forKey: Member(name))
        }
    }
}
