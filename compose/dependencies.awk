# Package.swift with the dependencies as they are and, in place of all products and targets, one target that needs every one of them: so
# that they can be built before, and apart from, the sources of this package.

/^let [a-zA-Z0-9]+: Target\.Dependency = / {
    name = $2
    sub(/:$/, "", name)
    dependencies = dependencies (dependencies ? ", " : "") name
}

/^    (products|targets): \[$/ {
    if ($1 == "targets:")
        print "    targets: [.target(name: \"Dependencies\", dependencies: [" dependencies "], swiftSettings: settings)],"
    isLeftOut = 1
}

!isLeftOut

/^    \],$/ { isLeftOut = 0 }
