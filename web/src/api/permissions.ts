/** Who may do what, by role. The API decides; the pages only leave out what it would refuse. */
export const mayPlan = (role: string) => role === 'administrator' || role === 'public_relations'
export const mayAdminister = (role: string) => role === 'administrator'
export const mayMove = (role: string) => role === 'administrator' || role === 'supervisor'
export const mayHear = (role: string) => mayMove(role) || role === 'auditor'
export const mayConduct = (role: string) => mayPlan(role) || role === 'supervisor'
export const mayOversee = (role: string) => mayConduct(role) || role === 'auditor'
export const mayAnswer = (role: string) => mayMove(role) || role === 'operator'
