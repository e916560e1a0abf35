import { exchangeAuthorities } from "../support/authority-exchange";

jest.setTimeout(30 * 60_000);

test("authorities are exchanged without one of 20 hosts ever refusing the registry", () =>
    exchangeAuthorities(19));
