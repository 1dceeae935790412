import Domain
import Mustache
import Wire

/// What browsers get besides the API: templates, assets and texts, read once when the process starts.
struct WebContent: Sendable {
    let assets: Assets
    let texts: Texts
    private let templates: MustacheLibrary

    /// Throws, and so stops the process, for a template, text or asset that a page would miss later.
    init() throws(WebContentError) {
        try self.init(templates: WebFiles.templates, assets: WebFiles.assets, texts: WebFiles.texts)
    }

    init(templates files: [String: [UInt8]], assets: [String: [UInt8]], texts: [String: [UInt8]])
        throws(WebContentError)
    {
        self.assets = try Assets(assets)
        self.texts = try Texts(texts)
        var library = MustacheLibrary()
        for (name, bytes) in files {
            do {
                try library.register(String(decoding: bytes, as: UTF8.self), named: name)
            } catch {
                throw WebContentError("the template \(name) is broken: \(error)")
            }
        }
        templates = library
        for page in WebPage.all { try check(page) }
    }

    private func check(_ page: WebPage) throws(WebContentError) {
        guard templates.getTemplate(named: page.template) != nil else {
            throw WebContentError("there is no template \(page.template)")
        }
        if let script = page.script, assets[script] == nil { throw WebContentError("there is no script \(script)") }
        for language in Texts.languages {
            let words = words(in: language)
            guard words[page.title] != nil, page.says.allSatisfy({ words.catalogue[$0] != nil }) else {
                throw WebContentError("\(page.template) misses texts of \(language)")
            }
        }
    }

    /// Every text in one language, with `{name}` filled by `values`.
    func words(in language: String, _ values: [String: String] = [:]) -> PageWords {
        PageWords(catalogue: texts.catalogue(language), values: values)
    }

    /// The whole document. `place` is what the window's title says after the page's own; `values` fill `{name}` in texts and are
    /// there for the template as well, as is what else it asks for in `more`.
    func html(
        _ page: WebPage, in language: String, place: String, values: [String: String] = [:], more: [String: Any] = [:]
    ) -> [UInt8] {
        let words = words(in: language, values)
        var context: [String: Any] = values
        context["language"] = language
        context["place"] = place
        context["title"] = words[page.title] ?? ""
        context["text"] = words
        context["asset"] = assets.paths
        context["says"] = words.entries(page.says)
        if let script = page.script {
            context["script"] = assets[script]?.path
            context["modules"] = assets.modules(of: script).map(\.path)
        }
        context.merge(more) { $1 }
        return Array((templates.render(context, withTemplate: page.template) ?? "").utf8)
    }

    /// A script that the server writes something in.
    func script(_ template: String, _ values: [String: Any]) -> [UInt8] {
        Array((templates.render(values, withTemplate: template) ?? "").utf8)
    }
}

/// What is wrong with the embedded files, as a sentence for whoever changed them.
struct WebContentError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
