import HTTPTypes
import Messaging
import ServiceKit
import Wire

/// The pages of administration, for people with the administrator role.
struct AdminPages: Sendable {
    /// One page: what comes after `/{tenant}/admin` in its address, and what it is made of.
    enum Place: String, CaseIterable {
        case overview, policy, people, person, groups, group, applications
        case signIns = "sign-ins"
        case audit, settings

        var path: String {
            switch self {
            case .overview: ""
            case .person: "/people/{id}"
            case .group: "/groups/{id}"
            default: "/\(rawValue)"
            }
        }

        var page: WebPage {
            let name = self == .signIns ? "SignIns" : rawValue.prefix(1).uppercased() + rawValue.dropFirst()
            return WebPage(
                template: "admin-\(rawValue)", title: "admin\(name).title", script: "admin-\(rawValue).js",
                says: ["says", "adminSays", "admin\(name)Says"] + shared)
        }

        /// Sections of texts that several of these pages use.
        private var shared: [String] {
            switch self {
            case .policy, .group, .person: ["adminModes", "adminPickerSays"]
            case .people: ["adminImportFaults"]
            case .audit: ["adminModes"]
            default: []
            }
        }

        /// The entry of the navigation that is marked.
        fileprivate var section: Place {
            switch self {
            case .person: .people
            case .group: .groups
            default: self
            }
        }
    }

    private static let navigation: [(place: Place, icon: String)] = [
        (.overview, "chart"), (.policy, "shield"), (.people, "person"), (.groups, "people"), (.applications, "laptop"),
        (.signIns, "key"), (.audit, "list"), (.settings, "sliders"),
    ]

    let pages: Pages

    func show(_ place: Place, _ inbound: Inbound) async throws -> Reply {
        let tenant = try pages.edge.tenants.tenant(inbound.tenant)
        guard let person = try await pages.person(inbound) else { return Pages.signInFirst(inbound) }
        let name = person.displayName.nonEmpty ?? person.username
        guard person.roles.contains("administrator") else {
            let other =
                "/\(tenant.id)/sign-in?prompt=login&return=\(PercentText.encode(inbound.path, keepingSlash: true))"
            return pages.page(
                .adminRefused, inbound, tenant, ["person": name, "other": other], status: .forbidden)
        }
        let language = Texts.language(accepted: inbound.headers[.acceptLanguage])
        let words = pages.content.words(in: language)
        let entries: [[String: Any]] = Self.navigation.map { entry in
            [
                "href": "/\(tenant.id)/admin\(entry.place.path)", "icon": entry.icon,
                "name": words[entry.place.page.title] ?? "", "isHere": entry.place == place.section,
            ]
        }
        return pages.page(
            place.page, inbound, tenant, ["person": name, "navigation": entries, "id": inbound.parameter("id")])
    }
}
