import Domain
import Foundation
import Secrets
import ServiceKit

/// One account at one provider, read and checked, and what makes a driver of it.
struct PushAccount: Sendable {
    /// Tells whether anything of it has changed: of its settings and its key.
    let digest: [UInt8]
    let driver: @Sendable (ProviderSettings, WebPushTargets) -> any StoppableDriver
}

/// Accounts as an operator writes them: a folder with `{tenant}.json`, and `default.json` for the tenants that have none of their own.
/// Keys are in files of their own, named from the folder, each sealed for its account and provider or, where that is allowed, in clear.
struct PushAccounts {
    static let defaultName = "default"
    private static let fileBytesMax = 64 * 1024

    private struct Document: Codable {
        struct APNs: Codable {
            let keyFile: String
            let keyId: String
            let teamId: String
            let topic: String
            /// `production` or `sandbox`; or `server`, a URL.
            let environment: String?
            let server: String?
        }
        struct FCM: Codable {
            let serviceAccountFile: String
            let server: String?
        }
        struct WebPush: Codable {
            let keyFile: String
            let subject: String
        }
        let apns: APNs?
        let fcm: FCM?
        let webpush: WebPush?
    }

    let folder: String
    /// Its ring is read anew each time.
    let sealer: Sealer
    /// Keys in clear are refused.
    let requiresSealedKeys: Bool

    /// Of each name, `default` among them. A folder that is not there has none. Throws `file` with the path and what is wrong with it,
    /// never with what is in it, and `refused` for a key ring that cannot be read.
    func read() throws(ConfigurationProblem) -> [String: [PushTransport: PushAccount]] {
        let ring: Sealer
        do throws(SecretsError) {
            ring = try sealer.reread()
        } catch {
            guard case .keyFile(let detail) = error else { throw .refused("the key ring cannot be read: \(error)") }
            throw .refused(detail)
        }
        return try PushAccounts(folder: folder, sealer: ring, requiresSealedKeys: requiresSealedKeys).all()
    }

    private func all() throws(ConfigurationProblem) -> [String: [PushTransport: PushAccount]] {
        var accounts: [String: [PushTransport: PushAccount]] = [:]
        for name in try names().sorted() where name.hasSuffix(".json") && isDocument(name) {
            let account = String(name.dropLast(".json".count))
            accounts[account] = try document(of: account, at: folder + "/" + name)
        }
        return accounts
    }

    /// A folder that is not there is empty. One that cannot be read may hold every account that is in use.
    private func names() throws(ConfigurationProblem) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch let error as CocoaError where [.fileReadNoSuchFile, .fileNoSuchFile].contains(error.code) {
            return []
        } catch {
            throw .file(path: folder, detail: "the folder of push accounts cannot be read")
        }
    }

    /// A service account's file may lie in the same folder, sealed or not, and is none.
    private func isDocument(_ name: String) -> Bool {
        struct Kind: Decodable { let type: String? }
        guard let bytes = FileManager.default.contents(atPath: folder + "/" + name) else { return true }
        return !SealedFile.isSealed(Array(bytes))
            && (try? JSONDecoder().decode(Kind.self, from: bytes))?.type != "service_account"
    }

    private func document(of name: String, at path: String) throws(ConfigurationProblem) -> [PushTransport: PushAccount]
    {
        let bytes = try privateBytes(path)
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else {
            throw .file(path: path, detail: "is not what a file of push accounts must be")
        }
        var accounts: [PushTransport: PushAccount] = [:]
        if let apns = document.apns { accounts[.apns] = try account(apns, of: name, path) }
        if let fcm = document.fcm { accounts[.fcm] = try account(fcm, of: name, path) }
        if let webPush = document.webpush { accounts[.webpush] = try account(webPush, of: name, path) }
        return accounts
    }

    private func account(_ apns: Document.APNs, of name: String, _ path: String) throws(ConfigurationProblem)
        -> PushAccount
    {
        let servers = ["production": APNsSettings.productionURL, "sandbox": APNsSettings.sandboxURL]
        let server = try server(apns.server, path) ?? servers[apns.environment ?? "production"]
        guard let server else { throw .file(path: path, detail: "apns.environment must be production or sandbox") }
        let pem = try key(apns.keyFile, .apns, of: name)
        let key = APNsSigningKey(
            keyID: apns.keyId, teamID: apns.teamId, pem: Redacted(String(decoding: pem, as: UTF8.self)))
        guard let key else { throw .file(path: within(apns.keyFile), detail: "is no P-256 private key in PEM") }
        let settings = APNsSettings(key: key, topic: apns.topic, serverURL: server)
        return PushAccount(digest: try digest(apns, pem, path)) { provider, _ in APNsDriver(settings, provider) }
    }

    private func account(_ fcm: Document.FCM, of name: String, _ path: String) throws(ConfigurationProblem)
        -> PushAccount
    {
        let file = try key(fcm.serviceAccountFile, .fcm, of: name)
        guard let account = FCMServiceAccount(file: Redacted(file)) else {
            throw .file(path: within(fcm.serviceAccountFile), detail: "is no service account of Google's")
        }
        let settings = FCMSettings(account: account, serverURL: try server(fcm.server, path) ?? FCMSettings.googleURL)
        return PushAccount(digest: try digest(fcm, file, path)) { provider, _ in FCMDriver(settings, provider) }
    }

    private func account(_ webPush: Document.WebPush, of name: String, _ path: String) throws(ConfigurationProblem)
        -> PushAccount
    {
        let pem = try key(webPush.keyFile, .webpush, of: name)
        let key = VAPIDKey(subject: webPush.subject, pem: Redacted(String(decoding: pem, as: UTF8.self)))
        guard let key else {
            throw .file(
                path: within(webPush.keyFile),
                detail: "is no P-256 private key in PEM, or webpush.subject no mailto or https URL")
        }
        return PushAccount(digest: try digest(webPush, pem, path)) { provider, targets in
            WebPushDriver(WebPushSettings(key: key, targets: targets), provider)
        }
    }

    private func server(_ text: String?, _ path: String) throws(ConfigurationProblem) -> String? {
        guard let text else { return nil }
        guard text.hasPrefix("https://"), !text.hasSuffix("/") else {
            throw .file(path: path, detail: "a server must be an https URL without a / at its end")
        }
        return text
    }

    private func key(_ file: String, _ transport: PushTransport, of account: String) throws(ConfigurationProblem)
        -> [UInt8]
    {
        let path = within(file)
        let bytes = try privateBytes(path)
        guard SealedFile.isSealed(bytes) else {
            guard !requiresSealedKeys else {
                throw .file(path: path, detail: "is not sealed, as notifier.push.keys wants it")
            }
            return bytes
        }
        do {
            return try SealedFile.open(bytes, with: sealer, for: transport.sealingPurpose(account: account))
        } catch {
            throw .file(
                path: path,
                detail: "is not sealed as the key for \(transport.rawValue) of \(account) under a key of this notifier")
        }
    }

    private func within(_ name: String) -> String { name.hasPrefix("/") ? name : folder + "/" + name }

    private func digest(_ part: some Encodable, _ key: [UInt8], _ path: String) throws(ConfigurationProblem) -> [UInt8]
    {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let bytes = try? encoder.encode(part) else { throw .file(path: path, detail: "cannot be read") }
        return sha256(Array(bytes) + key)
    }

    private func privateBytes(_ path: String) throws(ConfigurationProblem) -> [UInt8] {
        do {
            return try PrivateFile.read(path, bytesMax: Self.fileBytesMax)
        } catch {
            throw ConfigurationProblem(error)
        }
    }
}

/// A driver with connections of its own.
protocol StoppableDriver: PushDriver {
    func shutdown() async
}

extension APNsDriver: StoppableDriver {}
extension FCMDriver: StoppableDriver {}
extension WebPushDriver: StoppableDriver {}
