import HTTPTypes

/// The phone in a browser: its page, which is of no tenant, and the service worker that keeps it for when there is no connection.
struct AuthenticatorPage: Sendable {
    /// Both of the page and of its service worker, which may not keep anything else.
    static let path = "/authenticator"
    static let workerPath = "/authenticator/service-worker.js"
    /// The same for browsers whose service workers cannot import (ECMAScript modules): it keeps files, and is woken by nothing.
    static let plainWorkerPath = "/authenticator/service-worker-plain.js"

    private static let page = WebPage.authenticator
    private static let workerPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'"

    private struct Worker {
        let script: [UInt8]
        let gzipped: [UInt8]?

        init(_ content: WebContent, wakes: Bool) {
            script = content.script(
                "service-worker",
                ["files": AuthenticatorPage.files(content.assets), "asset": content.assets.paths, "wakes": wakes])
            gzipped = Gzip.compressed(script)
        }
    }

    private let content: WebContent
    private let worker: Worker
    private let plainWorker: Worker

    init(content: WebContent) {
        self.content = content
        worker = Worker(content, wakes: true)
        plainWorker = Worker(content, wakes: false)
    }

    func page(_ inbound: Inbound) async throws -> Reply {
        let language = Texts.language(accepted: inbound.headers[.acceptLanguage])
        let words = content.words(in: language)
        return PageReply.reply(
            content.html(Self.page, in: language, place: words["site.product"] ?? "", more: ["app": true]),
            inbound.headers, language: language)
    }

    /// Asked for again each time: a browser compares it byte by byte with the one that it runs.
    func serviceWorker(_ inbound: Inbound) async throws -> Reply { reply(worker, inbound) }
    func plainServiceWorker(_ inbound: Inbound) async throws -> Reply { reply(plainWorker, inbound) }

    private func reply(_ worker: Worker, _ inbound: Inbound) -> Reply {
        let headers: HTTPFields = [
            .contentType: "text/javascript; charset=utf-8", .cacheControl: "no-cache", .resourcePolicy: "same-origin",
            .securityPolicy: Self.workerPolicy, .serviceWorkerAllowed: Self.path,
        ]
        return PageReply.encoded(
            Reply(.ok, headers: headers), worker.script, { _ in worker.gzipped }, inbound.headers)
    }

    /// Everything that the page loads, by the addresses that it uses.
    private static func files(_ assets: Assets) -> [String] {
        let script = page.script ?? ""
        let named = ["countersign.css", "icons.svg", "mark.svg", script].compactMap { assets[$0]?.path }
        return named + assets.modules(of: script).map(\.path) + ["/assets/authenticator.webmanifest"]
    }
}
