import { Problem } from '../api/problem'

/** The fields that a form shows, by the API's name, and what is missing in each, in words; undefined: it is not shown now. */
export type Lacking = Record<string, string | false | null | undefined>

export const lacks = (lacking: Lacking) => Object.values(lacking).some(Boolean)

/** The field of the form that the server means with what it refused; null: it is said for the whole form. */
export const meant = (lacking: Lacking, error: unknown): string | null =>
  error instanceof Problem && error.field !== undefined && lacking[error.field] !== undefined ? error.field : null
