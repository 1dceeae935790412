package import Domain
import GRDB
package import Storage

extension SQLiteRegistrationRecords {
    package func policySubjects(tenant: TenantID, after: PersonID?, limit: Int) throws -> [PolicySubject] {
        let people = try records(
            "SELECT id FROM person WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?",
            [tenant.rawValue, after?.rawValue ?? "", limit]
        ) { PersonID($0["id"]) }
        guard let first = people.first, let last = people.last else { return [] }
        let stretch: StatementArguments = [tenant.rawValue, first.rawValue, last.rawValue]
        var groups: [PersonID: Set<GroupID>] = [:]
        for (person, group) in try memberships("person BETWEEN ? AND ?", stretch) {
            groups[person, default: []].insert(group)
        }
        let withDevice: [(PersonID, Bool)] = try records(
            """
            SELECT person, max(phone_sign_in_at IS NOT NULL) AS is_set_up FROM device
            WHERE tenant = ? AND person BETWEEN ? AND ? AND state = 'active' GROUP BY person
            """, stretch
        ) { ($0.id("person"), $0["is_set_up"]) }
        let hasPhoneSignIn = Dictionary(uniqueKeysWithValues: withDevice)
        return people.map {
            PolicySubject(
                person: $0, groups: groups[$0] ?? [], hasDevice: hasPhoneSignIn[$0] != nil,
                hasPhoneSignIn: hasPhoneSignIn[$0] ?? false)
        }
    }
}
