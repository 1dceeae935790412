import Domain
import Storage
import Testing
import Wire

@testable import ServiceKit

@Suite struct SettingsTests {
    private let number = Setting.number("cache.entriesMax", default: 10, in: 1...100, help: "Entries kept.")
    private let time = Setting.duration(
        "cache.keepFor", default: .seconds(90), in: .seconds(1) ... .seconds(3_600), help: "Age.")
    private let url = Setting.text("http.externalURL", default: "http://a", help: "What callers see.")
    private let list = Setting.list("bus.bind", default: ["a", "b"], accepts: "letters", help: "Where.") {
        $0.count == 1 ? $0 : nil
    }
    private let isOn = Setting.flag("cache.isOn", default: true, help: "Whether.")

    private var keys: [SettingKey] { [list.key, number.key, time.key, isOn.key, url.key] }

    private func settings(
        _ arguments: [String] = [], environment: [String: String] = [:], file: String = ""
    ) throws -> Settings {
        try Settings(
            keys, service: "policy", commandLine: CommandLineText(arguments, keys: keys).values,
            environment: environment,
            file: ConfigurationFile.parse(file, path: "policy.yaml"), filePath: "policy.yaml")
    }

    private func problems(
        _ arguments: [String] = [], environment: [String: String] = [:], file: String = ""
    ) -> String {
        do {
            _ = try settings(arguments, environment: environment, file: file)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test("what nobody sets has its default")
    func defaults() throws {
        let settings = try settings()
        #expect(
            settings[number] == 10 && settings[time] == .seconds(90) && settings[list] == ["a", "b"] && settings[isOn])
        #expect(settings.entry(number.key) == .init(text: "10", source: "default"))
    }

    @Test("the command line wins over the environment, that over the file, that over the default")
    func precedence() throws {
        let file = "cache:\n  entriesMax: 20\n"
        let environment = ["COUNTERSIGN_POLICY_CACHE_ENTRIES_MAX": "30"]
        #expect(try settings(file: file)[number] == 20)
        #expect(try settings(environment: environment, file: file)[number] == 30)
        let all = try settings(["--cache.entriesMax=40"], environment: environment, file: file)
        #expect(all[number] == 40 && all.entry(number.key).source == "command line")
    }

    @Test("every key can be set by the name that help gives for the environment")
    func environmentNames() throws {
        let names = EnvironmentNames(service: "policy")
        let values = [
            "bus.bind": "x", "cache.entriesMax": "7", "cache.keepFor": "2s", "cache.isOn": "false",
            "http.externalURL": "u",
        ]
        let settings = try settings(
            environment: Dictionary(uniqueKeysWithValues: values.map { (names.name(of: $0), $1) }))
        for key in keys { #expect(settings.entry(key) == .init(text: values[key.name] ?? "", source: "environment")) }
    }

    @Test("lists come as sequences, with commas, and as repeated arguments")
    func lists() throws {
        #expect(try settings(file: "bus: {bind: [x, y]}")[list] == ["x", "y"])
        #expect(try settings(file: "bus: {bind: \"x, y\"}")[list] == ["x", "y"])
        #expect(try settings(["--bus.bind=x,y", "--bus.bind", "z"])[list] == ["x", "y", "z"])
        #expect(try settings(["--bus.bind="])[list] == [])
    }

    @Test(
        "a value out of range names its key, its source and the range",
        arguments: ["0", "101", "ten", "", "1e1", " 5"])
    func outOfRange(value: String) {
        let found = problems(["--cache.entriesMax=\(value)"])
        #expect(found == "command line: cache.entriesMax is \"\(value)\", but must be a whole number from 1 to 100")
    }

    @Test("times have a unit and a range", arguments: ["0s", "61m", "5", "s", "-1s", "1.5s", "99999999999999999999s"])
    func times(value: String) {
        #expect(problems(["--cache.keepFor=\(value)"]).contains("must be a time from 1s to 1h"))
    }

    @Test("every problem is told at once, unknown keys by name and with the key that was meant")
    func unknownKeys() {
        let found = problems(
            environment: ["COUNTERSIGN_POLICY_CACHE_ENTRIES": "1", "COUNTERSIGN_VAR": "x"],
            file: "cache:\n  entriesmax: 5\n  isOn: perhaps\nnosuchkey: 1\n")
        #expect(found.contains("environment: there is no key COUNTERSIGN_POLICY_CACHE_ENTRIES"))
        #expect(found.contains("policy.yaml: there is no key cache.entriesmax; did you mean cache.entriesMax?"))
        #expect(found.contains("there is no key nosuchkey") && found.contains("cache.isOn is \"perhaps\""))
        #expect(!found.contains("COUNTERSIGN_VAR"))
    }

    @Test(
        "arguments that are none are refused",
        arguments: [["--nosuchkey=1"], ["stray"], ["--config"], ["--cache.isOn"], ["-x"]])
    func unknownArguments(arguments: [String]) { #expect(!problems(arguments).isEmpty) }

    @Test(
        "what is not a mapping of words is refused",
        arguments: ["- a\n", "a: [", "bus:\n  bind:\n    - {a: b}\n", "[a]: b"])
    func malformedFile(file: String) { #expect(problems(file: file).contains("policy.yaml: ")) }

    @Test("the printed configuration is a configuration file with the same values")
    func printed() throws {
        let settings = try settings(["--http.externalURL=http://\"x\"\\y", "--cache.keepFor=90000ms"])
        let text = SettingsText.yaml(settings, program: "countersign-policy")
        let again = try self.settings(file: text)
        for key in keys { #expect(again.entry(key).text == settings.entry(key).text, "\(key.name)") }
        #expect(text.contains("# command line") && text.contains("bind: [\"a\", \"b\"]  # default"))
    }

    @Test("every process prints a configuration that it takes", arguments: ServiceName.allCases)
    func standardSettings(service: ServiceName) throws {
        let keys = StandardSettings(service).keys
        let settings = try Settings(keys, service: service.rawValue, commandLine: [:], environment: [:], file: [:])
        let file = try ConfigurationFile.parse(SettingsText.yaml(settings, program: "p"), path: "p")
        let again = try Settings(keys, service: service.rawValue, commandLine: [:], environment: [:], file: file)
        for key in keys { #expect(again.entry(key).text == settings.entry(key).text) }
        let help = SettingsText.help(keys, program: "p", service: service.rawValue)
        for key in keys { #expect(help.contains("--\(key.name)=")) }
    }

    @Test(
        "an address has an IP address and a port",
        arguments: ["localhost:1", "1.2.3:4", "1.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", ":1", "::1:5x"])
    func addresses(text: String) {
        #expect(SocketAddressText(text) == nil)
        #expect(SocketAddressText("127.0.0.1:80")?.port == 80 && SocketAddressText("[::1]:80")?.host == "::1")
    }

    private func store(_ values: [String: String]) throws -> StoreConfiguration {
        let store = StoreSettings(.challenge)
        let settings = try Settings(
            store.keys, service: "challenge", commandLine: values, environment: [:], file: [:])
        try store.check(settings)
        return store.configuration(settings)
    }

    @Test("a store is a file unless PostgreSQL is asked for")
    func storeKinds() throws {
        #expect(try store([:]) == .sqlite(path: "var/challenge/challenge.sqlite"))
        #expect(try store(["store.path": "x"]) == .sqlite(path: "x"))
        var wanted = PostgreSQLConfiguration(
            url: "postgresql://countersign@db1:5432,db2/countersign?sslmode=verify-full", passwordFile: "p",
            schema: "challenge", applicationName: "countersign-challenge")
        (wanted.connections, wanted.lockTimeout) = (3, .milliseconds(500))
        let found = try store([
            "store.kind": "postgresql", "store.postgresql.url": wanted.url, "store.postgresql.passwordFile": "p",
            "store.postgresql.connections": "3", "store.postgresql.lockTimeout": "500ms",
        ])
        #expect(found == .postgresql(wanted))
    }

    @Test(
        "a wrong value of the store names its key",
        arguments: [
            ("store.kind", "mysql"), ("store.postgresql.connections", "0"), ("store.postgresql.connections", "257"),
            ("store.postgresql.connectTimeout", "1s"), ("store.postgresql.statementTimeout", "5"),
            ("store.postgresql.schema", "x\"; DROP"), ("store.postgresql.schema", ""),
            ("store.postgresql.schema", "1a"),
            ("store.postgresql.url", "mysql://a/b"),
        ])
    func wrongStore(key: String, value: String) {
        let error = #expect(throws: (any Error).self) { try store([key: value]) }
        #expect(error.map { "\($0)".contains(key) } == true)
    }

    @Test(
        "a URL with a password is refused, and not repeated",
        arguments: ["postgresql://u:geheim@h/d", "postgres://h/d?user=u&password=geheim"])
    func passwordInURL(url: String) {
        let error = #expect(throws: (any Error).self) { try store(["store.postgresql.url": url]) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("store.postgresql.passwordFile") && !text.contains("geheim"))
    }
}
