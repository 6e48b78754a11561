// SPDX-License-Identifier: Apache-2.0
// Ibex in one of its named configurations (ibex_configs.yaml): small, or maxperf when MAXPERF is defined. Ports as in cv32e40p.sv.
module top import ibex_pkg::*; (
  input  logic        clk_i,
  input  logic        rst_ni,
  output logic        instr_req_o,
  input  logic        instr_gnt_i,
  input  logic        instr_rvalid_i,
  output logic [31:0] instr_addr_o,
  input  logic [31:0] instr_rdata_i,
  output logic        data_req_o,
  input  logic        data_gnt_i,
  input  logic        data_rvalid_i,
  output logic        data_we_o,
  output logic [3:0]  data_be_o,
  output logic [31:0] data_addr_o,
  output logic [31:0] data_wdata_o,
  input  logic [31:0] data_rdata_i,
  output logic        done_o,   // an instruction leaves the decode stage
  output logic [31:0] pc_o      // its address
);
`ifdef MAXPERF
  localparam rv32m_e RV32M = RV32MSingleCycle;
  localparam bit FAST = 1'b1;
`else
  localparam rv32m_e RV32M = RV32MFast;
  localparam bit FAST = 1'b0;
`endif

  ibex_top #(
    .RV32M(RV32M),
    .RV32B(RV32BNone),
    .RegFile(RegFileFF),
    .BranchTargetALU(FAST),
    .WritebackStage(FAST)
  ) core (
    .clk_i,
    .rst_ni,
    .test_en_i(1'b0),
    .ram_cfg_i('0),
    .hart_id_i(32'h0),
    .boot_addr_i(32'h0),
    .instr_req_o,
    .instr_gnt_i,
    .instr_rvalid_i,
    .instr_addr_o,
    .instr_rdata_i,
    .instr_rdata_intg_i('0),
    .instr_err_i(1'b0),
    .data_req_o,
    .data_gnt_i,
    .data_rvalid_i,
    .data_we_o,
    .data_be_o,
    .data_addr_o,
    .data_wdata_o,
    .data_wdata_intg_o(),
    .data_rdata_i,
    .data_rdata_intg_i('0),
    .data_err_i(1'b0),
    .irq_software_i(1'b0),
    .irq_timer_i(1'b0),
    .irq_external_i(1'b0),
    .irq_fast_i(15'h0),
    .irq_nm_i(1'b0),
    .scramble_key_valid_i(1'b0),
    .scramble_key_i('0),
    .scramble_nonce_i('0),
    .scramble_req_o(),
    .debug_req_i(1'b0),
    .crash_dump_o(),
    .double_fault_seen_o(),
    .fetch_enable_i(IbexMuBiOn),
    .alert_minor_o(),
    .alert_major_internal_o(),
    .alert_major_bus_o(),
    .core_sleep_o(),
    .scan_rst_ni(1'b1)
  );

  assign done_o = core.u_ibex_core.instr_id_done;
  assign pc_o = core.u_ibex_core.pc_id;
endmodule
