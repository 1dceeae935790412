import Domain
import Secrets

/// Seals what must be read again. Each purpose names the row it belongs to, so that sealed bytes cannot be moved to another.
struct Vault: Sendable {
    private let sealer: Sealer

    init(sealer: Sealer) { self.sealer = sealer }

    enum Purpose {
        case ticket(TenantID, ActivationID)
        case number(TenantID, ActivationID)
        case offlineCode(TenantID, DeviceID)
        case push(TenantID, DeviceID)
        case call(RequestID)

        var text: String {
            switch self {
            case .ticket(let tenant, let id): "registration ticket \(tenant)/\(id)"
            case .number(let tenant, let id): "registration number \(tenant)/\(id)"
            case .offlineCode(let tenant, let id): "registration offline-code \(tenant)/\(id)"
            case .push(let tenant, let id): "registration push \(tenant)/\(id)"
            case .call(let id): "registration call \(id)"
            }
        }
    }

    func seal(_ plain: [UInt8], _ purpose: Purpose) throws(SecretsError) -> [UInt8] {
        try sealer.seal(plain, for: purpose.text)
    }
    func open(_ sealed: [UInt8], _ purpose: Purpose) throws(SecretsError) -> [UInt8] {
        try sealer.open(sealed, for: purpose.text)
    }
}
