/// A name for one thing of one kind: never a bare `String` in a signature.
package protocol Identifier: Hashable, Sendable, Codable, CustomStringConvertible, LosslessStringConvertible {
    var rawValue: String { get }
    init(rawValue: String)
}

extension Identifier {
    package init(_ rawValue: String) { self.init(rawValue: rawValue) }
    package var description: String { rawValue }

    package init(from decoder: any Decoder) throws {
        self.init(rawValue: try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// A tenant's name in paths: `[a-z0-9-]{1,63}`.
package struct TenantID: Identifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    /// Whether the text may name a tenant.
    package static func isValid(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}

package struct PersonID: Identifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

package struct GroupID: Identifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    /// Everybody of the tenant.
    package static let allUsers = GroupID("all_users")
    /// Nobody: the all-zero id that stands for "no target".
    package static let nobody = GroupID("00000000-0000-0000-0000-000000000000")
}

/// One activation of one phone in one tenant.
package struct DeviceID: Identifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// One sign-in request; the same string in the client's, the device's and the log's view of it.
package struct ChallengeID: Identifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

package struct ClientID: Identifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

package struct ActivationID: Identifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// A user name as people compare it: case folded. The form as typed is kept for display.
package struct FoldedUsername: Identifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue.lowercased() }
}
