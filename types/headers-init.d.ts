/**
 * The types of the official SDK 1.x name the DOM's `HeadersInit`, which the types of Node 20 leave
 * out. One line here keeps `skipLibCheck` off without the whole DOM library, whose globals the
 * product must not use by accident.
 */
type HeadersInit = NonNullable<ConstructorParameters<typeof Headers>[0]>;
