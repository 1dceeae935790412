import Glibc
package import Wire

/// Gives a service another CURVE key without an interruption, by files of the key folder alone: `<service>.key` and `.pub` are the pair
/// in use, `<service>-next.key` and `.pub` the one to come, `<service>-previous.pub` the one that was. Where processes read public keys
/// from a folder of their own (`bus.trust`), the public files are there.
///
/// Each step leaves the folder so that every process, whichever step it has seen, and started whenever, is trusted by all: a key is
/// known before it is used, and known until nobody uses it. A step that was cut off is taken again.
package struct KeyExchange: Sendable {
    /// Where an exchange stands.
    package enum Stage: String, Sendable, Encodable {
        /// One key.
        case settled
        /// A further key is known, and not used yet.
        case prepared
        /// The further key is that of every process that starts; the one before is still known.
        case switched
    }

    package let service: ServiceName
    private let folder: String
    private let trust: String

    package init(_ service: ServiceName, folder: String, trust: String? = nil) {
        self.service = service
        self.folder = folder
        self.trust = trust ?? folder
    }

    /// Whether the service has a secret key here.
    package var hasPair: Bool { access(path(".key"), F_OK) == 0 }

    private func path(_ suffix: String) -> String {
        "\(suffix.hasSuffix(".pub") ? trust : folder)/\(service.rawValue)\(suffix)"
    }

    /// Throws `BusError.keys` when the service has no pair here, or others may read its secret.
    package func stage() throws(BusError) -> Stage {
        _ = try KeyFile.secret(path(".key"))
        if access(path("-next.key"), F_OK) == 0 { return .prepared }
        return access(path("-previous.pub"), F_OK) == 0 ? .switched : .settled
    }

    /// Makes the next pair and publishes it. The other hosts' folders need its public file before the switch.
    package func prepare() throws(BusError) {
        guard try stage() != .switched else {
            throw .keys("\(service.rawValue) still trusts the key before this one: retire that first")
        }
        _ = try KeyFile.secret(path("-next.key"), orMake: CurveKeys.generate)
        try publish(path("-next.key"), as: path("-next.pub"))
    }

    /// Makes the next pair the service's own: each of its processes uses it from its next start.
    package func use() throws(BusError) {
        guard try stage() == .prepared else {
            throw .keys("\(service.rawValue) has no next key: prepare it first")
        }
        // The key in use stays known by another name before its own file changes. After an interruption behind the last step but one
        // it is the next key already.
        let next = try KeyFile.secret(path("-next.key"))
        if try KeyFile.secret(path(".key")) != next {
            try publish(path(".key"), as: path("-previous.pub"))
            try KeyFile.write(next, to: path(".key"), mode: 0o600)
        }
        try publish(path(".key"), as: path(".pub"))
        // Last, because it says that there is something to do.
        unlink(path("-next.pub"))
        unlink(path("-next.key"))
    }

    /// Ends the trust in the key that was, and with it every connection that still uses it.
    package func retire() throws(BusError) {
        guard try stage() == .switched else {
            throw .keys("\(service.rawValue) has no previous key to retire")
        }
        guard unlink(path("-previous.pub")) == 0 else {
            throw .keys("cannot remove \(path("-previous.pub")): \(systemReason())")
        }
    }

    private func publish(_ secretPath: String, as publicPath: String) throws(BusError) {
        let key = try CurveKeys.derivePublic(try KeyFile.secret(secretPath), path: secretPath)
        if KeyFile.read(publicPath).key != key { try KeyFile.write(key, to: publicPath, mode: 0o644) }
        if trust != folder { try KeyFile.openToOthers(publicPath) }
    }
}
