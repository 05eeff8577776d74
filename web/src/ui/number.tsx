/** Digits that belong together, kept in their own direction. */
export function Num({ children, ...rest }: { children: string; 'data-testid'?: string; 'data-number'?: string }) {
  return <bdi className="number" dir="ltr" {...rest}>{children}</bdi>
}
