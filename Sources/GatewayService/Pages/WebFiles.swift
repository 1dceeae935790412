/// The files of `Web/`, which are embedded in the program. A file that is not in this list is not served.
package enum WebFiles {
    package static let templates: [String: [UInt8]] = [
        "add-device": PackageResources.add_device_mustache,
        "authenticator": PackageResources.authenticator_mustache,
        "brand": PackageResources.brand_mustache,
        "error": PackageResources.error_mustache,
        "page-foot": PackageResources.page_foot_mustache,
        "page-head": PackageResources.page_head_mustache,
        "phone-account": PackageResources.phone_account_mustache,
        "phone-add": PackageResources.phone_add_mustache,
        "phone-home": PackageResources.phone_home_mustache,
        "phone-settings": PackageResources.phone_settings_mustache,
        "security-info": PackageResources.security_info_mustache,
        "service-worker": PackageResources.service_worker_mustache,
        "sign-in": PackageResources.sign_in_mustache,
    ]

    package static let assets: [String: [UInt8]] = [
        "activation-link.js": PackageResources.activation_link_js,
        "add-device.js": PackageResources.add_device_js,
        "answer.js": PackageResources.answer_js,
        "api.js": PackageResources.api_js,
        "authenticator-180.png": PackageResources.authenticator_180_png,
        "authenticator-192.png": PackageResources.authenticator_192_png,
        "authenticator-512.png": PackageResources.authenticator_512_png,
        "authenticator-full.png": PackageResources.authenticator_full_png,
        "authenticator.js": PackageResources.authenticator_js,
        "authenticator.webmanifest": PackageResources.authenticator_webmanifest,
        "countersign.css": PackageResources.countersign_css,
        "events.js": PackageResources.events_js,
        "icons.svg": PackageResources.icons_svg,
        "mark.svg": PackageResources.mark_svg,
        "page.js": PackageResources.page_js,
        "phone-account-view.js": PackageResources.phone_account_view_js,
        "phone-accounts.js": PackageResources.phone_accounts_js,
        "phone-add.js": PackageResources.phone_add_js,
        "phone-answers.js": PackageResources.phone_answers_js,
        "phone-cards.js": PackageResources.phone_cards_js,
        "phone-clock.js": PackageResources.phone_clock_js,
        "phone-codes.js": PackageResources.phone_codes_js,
        "phone-device.js": PackageResources.phone_device_js,
        "phone-facts.js": PackageResources.phone_facts_js,
        "phone-lock-view.js": PackageResources.phone_lock_view_js,
        "phone-lock.js": PackageResources.phone_lock_js,
        "phone-proofs.js": PackageResources.phone_proofs_js,
        "phone-requests.js": PackageResources.phone_requests_js,
        "phone-scan.js": PackageResources.phone_scan_js,
        "phone-store.js": PackageResources.phone_store_js,
        "ring.js": PackageResources.ring_js,
        "screens.js": PackageResources.screens_js,
        "security-info.js": PackageResources.security_info_js,
        "session.js": PackageResources.session_js,
        "sign-in.js": PackageResources.sign_in_js,
    ]

    /// By language; the first of `Texts.languages` is what everyone else gets.
    package static let texts: [String: [UInt8]] = [
        "de": PackageResources.de_json,
        "en": PackageResources.en_json,
    ]
}
