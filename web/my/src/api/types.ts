import type { components } from '../../../src/api/schema.gen'

type Schemas = components['schemas']
export type Category = Schemas['Offered']
export type Round = Schemas['AnnouncedRound']
export type Own = Schemas['MyOwn']
export type Place = Schemas['MyPlace']
export type Mine = Schemas['MyRequest']
export type Detail = Schemas['MyRequestDetail']
export type Report = Schemas['ReportIn']
export type Way = Schemas['CodeWay']
export type Session = Schemas['CitizenSession']
export type SignedInAt = Schemas['SignedInAt']
export type Kept = Schemas['PictureKept']
