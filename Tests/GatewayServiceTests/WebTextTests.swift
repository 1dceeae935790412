import Foundation
import GatewayService
import NIOHTTP1
import Testing

/// The files of `Web/`: that they agree with each other, and that none is left out.
@Suite struct WebTextTests {
    private typealias Catalogue = [String: [String: String]]

    private static let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/GatewayService")

    private static func catalogue(_ language: String) throws -> Catalogue {
        try JSONDecoder().decode(Catalogue.self, from: Data(#require(WebFiles.texts[language])))
    }

    private static func keys(_ catalogue: Catalogue) -> Set<String> {
        Set(catalogue.flatMap { section, words in words.keys.map { "\(section).\($0)" } })
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// What templates, scripts and handlers ask for.
    private static func used(in sections: Set<String>) throws -> Set<String> {
        var used: Set<String> = []
        for bytes in WebFiles.templates.values {
            used.formUnion(text(bytes).matches(of: /text\.(\w+\.\w+)/).map { String($0.output.1) })
        }
        let pages = sources.appending(path: "Pages")
        let handlers = try FileManager.default.contentsOfDirectory(at: pages, includingPropertiesForKeys: nil).map {
            try String(contentsOf: $0, encoding: .utf8)
        }
        let scripts = WebFiles.assets.filter { $0.key.hasSuffix(".js") }.values.map { text($0) }
        for source in scripts + handlers {
            used.formUnion(source.matches(of: /"(\w+\.\w+)"/).map { String($0.output.1) })
        }
        return used.filter { key in sections.contains { key.hasPrefix("\($0).") } }
    }

    @Test("every language has every text, none is empty, and all have the same places to fill")
    func languages() throws {
        let english = try Self.catalogue("en")
        for language in WebFiles.texts.keys {
            let other = try Self.catalogue(language)
            #expect(Self.keys(other) == Self.keys(english), "\(language)")
            for (section, words) in other {
                for (key, text) in words {
                    #expect(!text.isEmpty && text == text.trimmingCharacters(in: .whitespacesAndNewlines))
                    func places(_ text: String) -> Set<String> {
                        Set(text.matches(of: /\{(\w+)\}/).map { String($0.output.1) })
                    }
                    #expect(places(text) == places(english[section]?[key] ?? ""), "\(language) \(section).\(key)")
                }
            }
        }
    }

    @Test("every text that a template, a script or a handler asks for is there, and every text is asked for")
    func keys() throws {
        let english = try Self.catalogue("en")
        let used = try Self.used(in: Set(english.keys))
        let known = Self.keys(english)
        #expect(used.subtracting(known).isEmpty)
        // The error page puts its keys together from what went wrong.
        #expect(known.subtracting(used).filter { !$0.hasPrefix("errorPage.") }.isEmpty)
    }

    @Test("a script asks only for texts that its page gives it", arguments: ["/demo/sign-in", "/authenticator"])
    func sections(address: String) async throws {
        try await GatewayHarness.run { gateway in
            let page = try await gateway.send(.GET, address)
            let given = Set(page.body.matches(of: /data-key="([^"]+)"/).map { String($0.output.1) })
            let sections = Set(try Self.catalogue("en").keys)
            for path in page.body.matches(of: /(?:src|href)="(\/assets\/[^"]+\.js)"/).map({ String($0.output.1) }) {
                let script = try await gateway.send(.GET, path)
                for key in script.body.matches(of: /"(\w+\.\w+)"/).map({ String($0.output.1) })
                where sections.contains(String(key.prefix { $0 != "." })) {
                    #expect(given.contains(key), "\(path) asks for \(key)")
                }
            }
        }
    }

    @Test("every file of the folder is served or rendered, and nothing else is listed")
    func files() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.sources.appending(path: "Web").path)
        let listed =
            WebFiles.templates.keys.map { "\($0).mustache" } + WebFiles.assets.keys
            + WebFiles.texts.keys.map { "\($0).json" }
        #expect(Set(names) == Set(listed))
    }

    @Test("no script holds words of its own: what people read is in the catalogue")
    func words() {
        for (name, bytes) in WebFiles.assets where name.hasSuffix(".js") {
            for line in Self.text(bytes).split(separator: "\n") where !line.contains("//") && !line.contains("* ") {
                for match in line.matches(of: /textContent = "([^"]*)"/) {
                    #expect(match.output.1.isEmpty, "\(name): \(line)")
                }
            }
        }
    }
}
