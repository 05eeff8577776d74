const DIGIT = /[\d۰-۹]/

/** Digits that belong together, kept in their own direction. */
export function Num({ children, ...rest }: { children: string; 'data-testid'?: string; 'data-number'?: string }) {
  return <bdi className="number" dir="ltr" {...rest}>{children}</bdi>
}

/** What is written in Latin letters in every language, digits included: a user name, an address in the network. */
export function Latin({ children }: { children: string }) {
  return <bdi className="latin" dir="ltr">{children}</bdi>
}

/** A time that runs, each digit in a cell of its own. */
export function RunningTime({ children, ...rest }: { children: string; 'data-testid'?: string }) {
  return (
    <bdi className="number running" dir="ltr" {...rest}>
      {Array.from(children, (one, place) => (DIGIT.test(one) ? <span key={place}>{one}</span> : one))}
    </bdi>
  )
}
