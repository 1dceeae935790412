import Mustache

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Every text of every page, in each language: sections of keys. Templates write `{{text.section.key}}`, scripts `text("section.key")`.
struct Texts: Sendable {
    typealias Catalogue = [String: [String: String]]

    /// The first is for those who accept none of them.
    static let languages = ["en", "de"]

    private let catalogues: [String: Catalogue]

    /// Throws when a catalogue is missing or is not sections of texts.
    init(_ files: [String: [UInt8]]) throws(WebContentError) {
        var catalogues: [String: Catalogue] = [:]
        for language in Self.languages {
            guard let bytes = files[language],
                let catalogue = try? JSONDecoder().decode(Catalogue.self, from: Data(bytes))
            else { throw WebContentError("the texts of \(language) cannot be read") }
            catalogues[language] = catalogue
        }
        self.catalogues = catalogues
    }

    func catalogue(_ language: String) -> Catalogue { catalogues[language] ?? [:] }

    /// The best language of `Accept-Language` (RFC 9110 section 12.5.4): by weight, then by order; a region does not matter.
    static func language(accepted header: String?) -> String {
        var best: (language: String, weight: Double)?
        for part in (header ?? "").prefix(1000).split(separator: ",") {
            let words = part.split(separator: ";").map { $0.trimmed.lowercased() }
            let weight = words.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            guard let tag = words.first, let primary = tag.split(separator: "-").first else { continue }
            let known = primary == "*" ? languages.first : languages.first { $0 == primary }
            if let known, weight > 0, weight > (best?.weight ?? 0) { best = (known, weight) }
        }
        return best?.language ?? languages[0]
    }
}

/// The texts as a template sees them, with `{name}` replaced where the page knows the value; a script replaces the others.
struct PageWords: MustacheParent {
    struct Section: MustacheParent {
        let words: [String: String]
        let values: [String: String]

        func child(named name: String) -> Any? { words[name].map { PageWords.filled($0, values) } }
    }

    let catalogue: Texts.Catalogue
    let values: [String: String]

    func child(named name: String) -> Any? { catalogue[name].map { Section(words: $0, values: values) } }

    /// `section.key`; nil when there is none.
    subscript(key: String) -> String? {
        let parts = key.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let words = catalogue[String(parts[0])]?[String(parts[1])] else { return nil }
        return Self.filled(words, values)
    }

    /// One entry of the page's `<template id="texts">`.
    func entries(_ sections: [String]) -> [[String: String]] {
        sections.flatMap { section in
            (catalogue[section] ?? [:]).sorted { $0.key < $1.key }.map {
                ["key": "\(section).\($0.key)", "words": $0.value]
            }
        }
    }

    private static func filled(_ text: String, _ values: [String: String]) -> String {
        guard text.utf8.contains(0x7B) else { return text }
        return values.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value) }
    }
}
