/// The files of `Web/`, which are embedded in the program. A file that is not in this list is not served.
package enum WebFiles {
    package static let templates: [String: [UInt8]] = [
        "add-device": PackageResources.add_device_mustache,
        "brand": PackageResources.brand_mustache,
        "error": PackageResources.error_mustache,
        "page-foot": PackageResources.page_foot_mustache,
        "page-head": PackageResources.page_head_mustache,
        "security-info": PackageResources.security_info_mustache,
        "sign-in": PackageResources.sign_in_mustache,
    ]

    package static let assets: [String: [UInt8]] = [
        "add-device.js": PackageResources.add_device_js,
        "answer.js": PackageResources.answer_js,
        "api.js": PackageResources.api_js,
        "countersign.css": PackageResources.countersign_css,
        "icons.svg": PackageResources.icons_svg,
        "mark.svg": PackageResources.mark_svg,
        "page.js": PackageResources.page_js,
        "ring.js": PackageResources.ring_js,
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
