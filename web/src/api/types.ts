import type { components } from '../../shared/api/schema.gen'
/** What the API says, where several pages show it. */

type Schemas = components['schemas']
export type Me = Schemas['Me']
export type Desk = Schemas['Desk']
export type Round = Schemas['Round']
export type Official = Schemas['Official']
export type Registration = Schemas['Registration']
export type Callback = Schemas['Callback']
export type Stage = Schemas['Stage']
export type CallbackState = Callback['state']
export type Outcome = NonNullable<Callback['outcome']>

/** Who did what was done from the command line. */
export const COMMAND_LINE = 'command line'
