import HTTPTypes
import Wire

/// One line of the table: what is answered where, by whom it may be asked, and how its body is read.
struct Route: Sendable {
    typealias Handler = @Sendable (Inbound) async throws -> Reply

    enum Body: Sendable {
        case none
        case json
        /// JSON Merge Patch (RFC 7396), with either content type.
        case mergePatch
        case form
        case upload
    }

    /// How a caller proves who it is; says what `WWW-Authenticate` names.
    enum Access: String, Sendable {
        case open = ""
        case client = "Basic realm=\"countersign\", charset=\"UTF-8\", Bearer realm=\"countersign\""
        case device = "DeviceProof realm=\"countersign\""
        case session = "Cookie realm=\"countersign\""
        case administrator = "Bearer realm=\"countersign-admin\""
        case `operator` = "Bearer realm=\"countersign-operator\""
    }

    let method: HTTPRequest.Method
    let template: String
    let access: Access
    let body: Body
    let place: Problems.Place
    let handler: Handler

    /// `WWW-Authenticate` of a 401, which has one whatever was not believed (RFC 9110 section 15.5.2): a route that anybody may ask
    /// can still refuse a proof or a password.
    var challenge: String {
        switch access {
        case .open: place == .activation ? Access.device.rawValue : Access.session.rawValue
        default: access.rawValue
        }
    }
}

/// Finds the route of a path. A template's segment is literal, `{name}`, or `{name}:suffix`; the literal one wins.
struct RouteTable: Sendable {
    private enum Segment: Sendable {
        case literal(String)
        case suffixed(String, suffix: String)
        case parameter(String)

        init(_ text: Substring) {
            guard text.hasPrefix("{"), let end = text.firstIndex(of: "}") else {
                self = .literal(String(text))
                return
            }
            let name = String(text[text.index(after: text.startIndex)..<end])
            let suffix = String(text[text.index(after: end)...])
            self = suffix.isEmpty ? .parameter(name) : .suffixed(name, suffix: suffix)
        }

        /// Nil when it does not fit; a name and its value when it is a parameter.
        func match(_ text: String) -> (name: String, value: String)?? {
            switch self {
            case .literal(let literal): return literal == text ? .some(nil) : nil
            case .suffixed(let name, let suffix):
                guard text.hasSuffix(suffix), text.utf8.count > suffix.utf8.count else { return nil }
                return .some((name, String(text.dropLast(suffix.count))))
            // A colon starts an action (`…/users/{id}:block`): an id never has one.
            case .parameter(let name): return text.isEmpty || text.utf8.contains(0x3A) ? nil : .some((name, text))
            }
        }

        var rank: Int {
            switch self {
            case .literal: 0
            case .suffixed: 1
            case .parameter: 2
            }
        }
    }

    private struct Entry: Sendable {
        let template: String
        let segments: [Segment]
        var routes: [HTTPRequest.Method: Route]
    }

    struct Match: Sendable {
        let template: String
        let parameters: [String: String]
        let routes: [HTTPRequest.Method: Route]

        /// The value of `Allow`.
        var allowed: String {
            let names = Set(routes.keys.map(\.rawValue)).union(routes[.get] == nil ? [] : ["HEAD"])
            return names.sorted().joined(separator: ", ")
        }
    }

    private var entries: [Int: [Entry]] = [:]

    init(_ routes: [Route]) {
        for route in routes {
            let segments = Self.split(route.template).map { Segment($0) }
            var bucket = entries[segments.count] ?? []
            if let index = bucket.firstIndex(where: { $0.template == route.template }) {
                precondition(
                    bucket[index].routes[route.method] == nil, "\(route.method) \(route.template) is in the table twice"
                )
                bucket[index].routes[route.method] = route
            } else {
                bucket.append(Entry(template: route.template, segments: segments, routes: [route.method: route]))
            }
            bucket.sort { $0.segments.map(\.rank).lexicographicallyPrecedes($1.segments.map(\.rank)) }
            entries[segments.count] = bucket
        }
    }

    private static func split(_ path: some StringProtocol) -> [Substring] {
        Substring(path).dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }

    /// Nil when nothing is known there. Throws `malformed` for a path that is not percent-encoded UTF-8.
    func match(_ path: some StringProtocol) throws(ServiceError) -> Match? {
        guard path.utf8.first == 0x2F else { throw ServiceError(.malformed, "the path does not start with a slash") }
        var segments: [String] = []
        for part in Self.split(path) {
            guard let text = PercentText.decode(part) else {
                throw ServiceError(.malformed, "the path is not percent-encoded UTF-8")
            }
            segments.append(text)
        }
        for entry in entries[segments.count] ?? [] {
            if let parameters = Self.parameters(entry.segments, segments) {
                return Match(template: entry.template, parameters: parameters, routes: entry.routes)
            }
        }
        return nil
    }

    private static func parameters(_ template: [Segment], _ segments: [String]) -> [String: String]? {
        var parameters: [String: String] = [:]
        for (segment, text) in zip(template, segments) {
            guard let match = segment.match(text) else { return nil }
            if let (name, value) = match { parameters[name] = value }
        }
        return parameters
    }
}
