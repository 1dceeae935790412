/// One key of a process's configuration, declared once: its name, default, what it accepts, and what it is for.
///
/// Every source speaks text; a list is text with commas. Whatever a source says is checked at start against the declaration, so that a
/// wrong value stops the process with the key and its range, and never a request later.
package struct Setting<Value: Sendable>: Sendable {
    package let key: SettingKey
    let parse: @Sendable (String) -> Value?

    init(_ key: SettingKey, parse: @escaping @Sendable (String) -> Value?) {
        precondition(key.isAccepted(key.fallback), "\(key.name) does not accept its own default")
        self.key = key
        self.parse = parse
    }
}

/// A setting without its type: what documents, checks and prints it.
package struct SettingKey: Sendable {
    enum Form: Sendable { case text, plain, list }

    package let name: String
    let fallback: String
    let form: Form
    /// What values may be, as the end of "must be …".
    let accepts: String
    let help: String
    let isAccepted: @Sendable (String) -> Bool
}

extension Setting {
    private static func make(
        _ name: String, fallback: String, form: SettingKey.Form, accepts: String, help: String,
        parse: @escaping @Sendable (String) -> Value?
    ) -> Setting {
        let key = SettingKey(
            name: name, fallback: fallback, form: form, accepts: accepts, help: help, isAccepted: { parse($0) != nil })
        return Setting(key, parse: parse)
    }
}

extension Setting where Value == Int {
    package static func number(_ name: String, default fallback: Int, in range: ClosedRange<Int>, help: String)
        -> Setting
    {
        make(
            name, fallback: "\(fallback)", form: .plain,
            accepts: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            help: help
        ) { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
    }
}

extension Setting where Value == Double {
    /// A part of a whole: 0 to 1.
    package static func ratio(_ name: String, default fallback: Double, help: String) -> Setting {
        make(name, fallback: "\(fallback)", form: .plain, accepts: "a number from 0 to 1, as in 0.05", help: help) {
            text in Double(text).flatMap { (0...1).contains($0) ? $0 : nil }
        }
    }
}

extension Setting where Value == Bool {
    package static func flag(_ name: String, default fallback: Bool, help: String) -> Setting {
        make(name, fallback: "\(fallback)", form: .plain, accepts: "true or false", help: help) { Bool($0) }
    }
}

extension Setting where Value == Duration {
    /// Written as a whole number with a unit: `250ms`, `30s`, `10m`, `24h`, `30d`.
    package static func duration(
        _ name: String, default fallback: Duration, in range: ClosedRange<Duration>, help: String
    ) -> Setting {
        let accepts =
            "a time from \(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound)), as in 250ms, 30s, 10m, 24h, 30d"
        return make(name, fallback: DurationText.format(fallback), form: .plain, accepts: accepts, help: help) { text in
            DurationText.parse(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Setting where Value == String {
    /// Any text that `isAccepted`; `accepts` completes "must be …".
    package static func text(
        _ name: String, default fallback: String, accepts: String = "text",
        isAccepted: @escaping @Sendable (String) -> Bool = { _ in true }, help: String
    ) -> Setting {
        make(name, fallback: fallback, form: .text, accepts: accepts, help: help) { isAccepted($0) ? $0 : nil }
    }

    /// The path of a file or folder, from the working folder.
    package static func path(_ name: String, default fallback: String, help: String) -> Setting {
        text(name, default: fallback, accepts: "a path", isAccepted: { !$0.isEmpty && !$0.contains("\0") }, help: help)
    }

    package static func choice(_ name: String, default fallback: String, of words: [String], help: String) -> Setting {
        text(
            name, default: fallback, accepts: "one of \(words.joined(separator: ", "))",
            isAccepted: { words.contains($0) }, help: help)
    }
}

extension Setting where Value == SocketAddressText {
    package static func address(_ name: String, default fallback: String, help: String) -> Setting {
        make(
            name, fallback: fallback, form: .text, accepts: "host:port with an IP address and a port from 1 to 65535",
            help: help,
            parse: SocketAddressText.init)
    }
}

extension Setting {
    /// A list, each element read by `element`; nil refuses it.
    package static func list<Element: Sendable>(
        _ name: String, default fallback: [String] = [], accepts: String, help: String,
        element: @escaping @Sendable (String) -> Element?
    ) -> Setting where Value == [Element] {
        make(name, fallback: fallback.joined(separator: ","), form: .list, accepts: "a list: \(accepts)", help: help) {
            text in
            let texts = SettingKey.elements(text)
            let elements = texts.compactMap(element)
            return elements.count == texts.count ? elements : nil
        }
    }
}

extension SettingKey {
    /// The elements of a list as text.
    static func elements(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingBlanks }.filter { !$0.isEmpty }
    }
}

extension Substring {
    fileprivate var trimmingBlanks: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
