import Domain
import Storage

extension PostgreSQLRegistrationRecords {
    func policySubjects(tenant: TenantID, after: PersonID?, limit: Int) throws -> [PolicySubject] {
        let people = try rows(
            "SELECT id FROM person WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?",
            [tenant.rawValue, after?.rawValue ?? "", limit]
        ).map { (row: Row) -> PersonID in try row.id("id") }
        guard let first = people.first, let last = people.last else { return [] }
        let stretch: Values = [tenant.rawValue, first.rawValue, last.rawValue]
        var groups: [PersonID: Set<GroupID>] = [:]
        for row in try rows(
            "SELECT person, group_id FROM membership WHERE tenant = ? AND person BETWEEN ? AND ?", stretch)
        {
            groups[try row.id("person"), default: []].insert(try row.id("group_id"))
        }
        var hasPhoneSignIn: [PersonID: Bool] = [:]
        for row in try rows(
            """
            SELECT person, bool_or(phone_sign_in_at IS NOT NULL) AS is_set_up FROM device
            WHERE tenant = ? AND person BETWEEN ? AND ? AND state = 'active' GROUP BY person
            """, stretch)
        {
            hasPhoneSignIn[try row.id("person")] = try row["is_set_up"]
        }
        return people.map {
            PolicySubject(
                person: $0, groups: groups[$0] ?? [], hasDevice: hasPhoneSignIn[$0] != nil,
                hasPhoneSignIn: hasPhoneSignIn[$0] ?? false)
        }
    }
}
