package import Domain
import GRDB
package import Storage

extension SQLiteRegistrationRecords {
    package func policySubjects(tenant: TenantID, after: PersonID?, limit: Int) throws -> [PolicySubject] {
        let people = try rows(
            "SELECT id FROM person WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?",
            [tenant.rawValue, after?.rawValue ?? "", limit]
        ).map { PersonID($0["id"]) }
        guard let first = people.first, let last = people.last else { return [] }
        let stretch: StatementArguments = [tenant.rawValue, first.rawValue, last.rawValue]
        var groups: [PersonID: Set<GroupID>] = [:]
        for row in try rows(
            "SELECT person, group_id FROM membership WHERE tenant = ? AND person BETWEEN ? AND ?", stretch)
        {
            groups[PersonID(row["person"]), default: []].insert(GroupID(row["group_id"]))
        }
        var hasPhoneSignIn: [PersonID: Bool] = [:]
        for row in try rows(
            """
            SELECT person, max(phone_sign_in_at IS NOT NULL) AS is_set_up FROM device
            WHERE tenant = ? AND person BETWEEN ? AND ? AND state = 'active' GROUP BY person
            """, stretch)
        {
            hasPhoneSignIn[PersonID(row["person"])] = row["is_set_up"]
        }
        return people.map {
            PolicySubject(
                person: $0, groups: groups[$0] ?? [], hasDevice: hasPhoneSignIn[$0] != nil,
                hasPhoneSignIn: hasPhoneSignIn[$0] ?? false)
        }
    }
}
