/** The strokes of an icon of @tabler/icons-react: they draw the icon without React. */
export type Strokes = [string, Record<string, string>][]
