import Foundation

/// The file that scripts start from: where the demo tenant is, and who may do what there.
struct DemoFile: Codable, Equatable {
    struct Client: Codable, Equatable {
        var id: String
        var secret: String
    }

    struct Administrator: Codable, Equatable {
        var token: String
        var username: String
        var password: String
    }

    struct User: Codable, Equatable {
        var username: String
        var password: String
    }

    var base: String
    var tenant: String
    var client: Client
    var admin: Administrator
    var users: [User]

    /// Who can sign in: the administrator, then the others.
    var people: [User] { [User(username: admin.username, password: admin.password)] + users }

    static func read(_ path: String) throws -> DemoFile {
        do { return try JSONDecoder().decode(DemoFile.self, from: SecretFile.read(path)) } catch is DecodingError {
            throw AdminFailure(.badData, "\(path) is not a file as `countersign-admin demo` writes it")
        }
    }

    func write(_ path: String) throws {
        let encoder = Output.encoder
        encoder.outputFormatting.insert(.prettyPrinted)
        try SecretFile.write(try encoder.encode(self) + Data("\n".utf8), to: path)
    }
}

/// What an interrupted set-up had reached: kept beside the file until that is whole, because an administrator's token is shown once.
struct DemoProgress: Codable {
    /// Lets the gateway recognise the repeat of a call whose reply was lost.
    var key: String
    var adminToken: String?
    var client: DemoFile.Client?
    var passwords: [String: String] = [:]

    static func path(of file: String) -> String { file + ".partial" }

    static func read(_ file: String) -> DemoProgress? {
        FileManager.default.contents(atPath: path(of: file)).flatMap {
            try? JSONDecoder().decode(DemoProgress.self, from: $0)
        }
    }

    func write(_ file: String) throws { try SecretFile.write(try Output.encoder.encode(self), to: Self.path(of: file)) }
    static func remove(_ file: String) { unlink(path(of: file)) }
}
