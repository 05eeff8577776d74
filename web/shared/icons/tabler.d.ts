declare module '@tabler/icons-react/icons/*' {
  export const __iconNode: [string, Record<string, string>][]
}
