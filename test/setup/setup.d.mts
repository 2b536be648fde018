export declare function setUp(needs?: { readonly simulator?: boolean; readonly server?: boolean; readonly browser?: boolean }): Promise<void>;
